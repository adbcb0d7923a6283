-- Who is logged in: sessions, and what is needed on the way to one. Of secrets only digests are kept; what a role
-- here may do ends at these tables: thuiswacht_login sees no patient, thuiswacht_people sees no session.

CREATE TABLE session (
    session_id uuid NOT NULL,
    kind text NOT NULL,
    token_sha256 bytea NOT NULL,
    person_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    role text NOT NULL,
    began_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    until_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_why text,
    tried_again_at timestamptz,
    provider_session text,
    CONSTRAINT session_pkey PRIMARY KEY (session_id),
    CONSTRAINT session_token_known_once UNIQUE (token_sha256),
    CONSTRAINT session_token_is_a_digest CHECK (length(token_sha256) = 32),
    CONSTRAINT session_person_fkey FOREIGN KEY (person_id) REFERENCES person,
    CONSTRAINT session_organisation_fkey FOREIGN KEY (organisation_id) REFERENCES organisation,
    CONSTRAINT session_kind_known CHECK (kind IN ('browser', 'system')),
    CONSTRAINT session_is_short CHECK (until_at > began_at AND until_at <= began_at + interval '12 hours'),
    CONSTRAINT session_ended_for_a_reason CHECK ((ended_at IS NULL) = (ended_why IS NULL)),
    CONSTRAINT session_end_known CHECK (ended_why IN ('logout', 'everywhere', 'provider', 'replaced', 'withdrawn'))
);
COMMENT ON TABLE session IS 'Sessions of browsers and tokens of systems. The token itself is nowhere; a session that ended stays ended.';
COMMENT ON COLUMN session.session_id IS 'Tells sessions apart in the audit log; it opens nothing.';
COMMENT ON COLUMN session.until_at IS 'The absolute end. The idle one follows from seen_at.';
COMMENT ON COLUMN session.tried_again_at IS 'When it was first used after its end: on record once.';
COMMENT ON COLUMN session.provider_session IS 'The sid of the OpenID provider, by which it ends our session.';
CREATE INDEX session_open_of_person ON session (person_id) WHERE ended_at IS NULL;
CREATE INDEX session_open_of_provider ON session (provider_session) WHERE ended_at IS NULL;
CREATE INDEX session_by_end ON session (until_at);

CREATE FUNCTION keep_session_ended() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL AND (NEW.ended_at, NEW.ended_why) IS DISTINCT FROM (OLD.ended_at, OLD.ended_why) THEN
        RAISE EXCEPTION 'a session that ended stays ended' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER session_stays_ended BEFORE UPDATE ON session FOR EACH ROW EXECUTE FUNCTION keep_session_ended();

CREATE TABLE pending_login (
    state_sha256 bytea NOT NULL,
    browser_sha256 bytea NOT NULL,
    nonce text NOT NULL,
    code_verifier text NOT NULL,
    began_at timestamptz NOT NULL,
    CONSTRAINT pending_login_pkey PRIMARY KEY (state_sha256)
);
COMMENT ON TABLE pending_login IS 'Browsers that are at the OpenID provider now; taken out when they come back, so that nothing is used twice.';
CREATE INDEX pending_login_by_age ON pending_login (began_at);

CREATE TABLE login_identity (
    issuer text NOT NULL,
    subject text NOT NULL,
    person_id uuid NOT NULL,
    CONSTRAINT login_identity_pkey PRIMARY KEY (issuer, subject),
    CONSTRAINT login_identity_person_fkey FOREIGN KEY (person_id) REFERENCES person
);
COMMENT ON TABLE login_identity IS 'Which person a subject of an OpenID provider is.';

ALTER TABLE person_role ADD COLUMN by_login boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN person_role.by_login IS 'Given by the claims at a login, which may end it again; else by an administrator.';

CREATE FUNCTION keep_whose_role_it_is() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_user <> 'thuiswacht_login' AND NEW.until_at IS DISTINCT FROM OLD.until_at THEN
        NEW.by_login := false;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER person_role_belongs_to_who_ended_it BEFORE UPDATE ON person_role
    FOR EACH ROW EXECUTE FUNCTION keep_whose_role_it_is();
COMMENT ON FUNCTION keep_whose_role_it_is() IS 'A role that an administrator ended is not given again by a login.';

CREATE TABLE login_salt (
    salt bytea NOT NULL,
    CONSTRAINT login_salt_is_long CHECK (length(salt) = 32)
);
COMMENT ON TABLE login_salt IS 'One row: goes into the digests of addresses, so that nobody computes them beforehand.';
INSERT INTO login_salt VALUES (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));

CREATE TABLE login_failure (
    key_sha256 bytea NOT NULL,
    failures integer NOT NULL,
    failed_at timestamptz NOT NULL,
    blocked_until_at timestamptz,
    CONSTRAINT login_failure_pkey PRIMARY KEY (key_sha256),
    CONSTRAINT login_failure_counts CHECK (failures > 0)
);
COMMENT ON TABLE login_failure IS 'Failed logins by digest of an account, an address, or both; forgotten after a day.';
CREATE INDEX login_failure_by_age ON login_failure (failed_at);

CREATE TABLE known_browser (
    token_sha256 bytea NOT NULL,
    account_id uuid NOT NULL,
    since_at timestamptz NOT NULL,
    CONSTRAINT known_browser_pkey PRIMARY KEY (token_sha256, account_id)
);
COMMENT ON TABLE known_browser IS
    'Browsers from which an account logged in before: whoever guesses from elsewhere does not lock these out.';

CREATE TABLE account (
    account_id uuid NOT NULL,
    name text NOT NULL,
    person_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    role text NOT NULL,
    password_argon2 text NOT NULL,
    totp_secret text NOT NULL,
    totp_step bigint NOT NULL DEFAULT 0,
    added_at timestamptz NOT NULL,
    removed_at timestamptz,
    CONSTRAINT account_pkey PRIMARY KEY (account_id),
    CONSTRAINT account_person_fkey FOREIGN KEY (person_id) REFERENCES person,
    CONSTRAINT account_organisation_fkey FOREIGN KEY (organisation_id) REFERENCES organisation,
    CONSTRAINT account_password_is_hashed CHECK (password_argon2 LIKE '$argon2id$%')
);
COMMENT ON TABLE account IS 'Accounts of our own, in trial databases only: a live one refuses the first row.';
COMMENT ON COLUMN account.totp_step IS 'The last time step whose code was used: each counts once.';
CREATE UNIQUE INDEX account_name_open_once ON account (name) WHERE removed_at IS NULL;

CREATE FUNCTION keep_accounts_in_trials() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT is_trial() THEN
        RAISE EXCEPTION 'a live database has no accounts of its own' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER account_in_trials_only BEFORE INSERT OR UPDATE ON account
    FOR EACH ROW EXECUTE FUNCTION keep_accounts_in_trials();

CREATE TABLE client (
    client_id text NOT NULL,
    person_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    public_key text NOT NULL,
    added_at timestamptz NOT NULL,
    removed_at timestamptz,
    CONSTRAINT client_pkey PRIMARY KEY (client_id),
    CONSTRAINT client_person_fkey FOREIGN KEY (person_id) REFERENCES person,
    CONSTRAINT client_organisation_fkey FOREIGN KEY (organisation_id) REFERENCES organisation,
    CONSTRAINT client_id_is_plain CHECK (client_id ~ '^[a-z0-9][a-z0-9._-]{1,62}$'),
    CONSTRAINT client_key_is_public CHECK (public_key LIKE '-----BEGIN PUBLIC KEY-----%')
);
COMMENT ON TABLE client IS 'Systems that log in by themselves, with the public key by which they sign.';

CREATE TABLE client_assertion (
    client_id text NOT NULL,
    jti_sha256 bytea NOT NULL,
    until_at timestamptz NOT NULL,
    CONSTRAINT client_assertion_pkey PRIMARY KEY (client_id, jti_sha256)
);
COMMENT ON TABLE client_assertion IS 'What systems have signed and we have seen, as long as it would count: each counts once.';
CREATE INDEX client_assertion_by_end ON client_assertion (until_at);

GRANT SELECT, INSERT ON session, login_identity, person, person_role, account, client, known_browser
    TO thuiswacht_login;
GRANT UPDATE (seen_at, ended_at, ended_why, tried_again_at) ON session TO thuiswacht_login;
GRANT UPDATE (name) ON person TO thuiswacht_login;
GRANT UPDATE (until_at) ON person_role TO thuiswacht_login;
GRANT UPDATE (totp_step, removed_at) ON account TO thuiswacht_login;
GRANT UPDATE (removed_at) ON client TO thuiswacht_login;
GRANT SELECT ON organisation, access_policy, login_salt TO thuiswacht_login;
-- Of use for minutes or a day: the only rows that a service may delete.
GRANT SELECT, INSERT, DELETE ON pending_login, client_assertion TO thuiswacht_login;
GRANT SELECT, INSERT, UPDATE, DELETE ON login_failure TO thuiswacht_login;

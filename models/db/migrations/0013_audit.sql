-- Every look on record: rows are inserted by one function, chained, and never changed. models/audit.py says what a
-- row means and how it is hashed.

CREATE TABLE audit (
    shard smallint NOT NULL,
    number bigint NOT NULL,
    event_code text NOT NULL,
    action text NOT NULL,
    happened_us bigint NOT NULL,
    user_id text NOT NULL,
    user_role text NOT NULL,
    identifier_type text NOT NULL,
    identifier text NOT NULL,
    authorisation_protocol text NOT NULL,
    source text NOT NULL,
    organisation_id uuid,
    patients uuid[] NOT NULL,
    ground text,
    outcome text NOT NULL,
    session text,
    reason text,
    details text,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_pkey PRIMARY KEY (shard, number),
    CONSTRAINT audit_action_known CHECK (action IN ('C', 'R', 'U', 'D', 'E')),
    CONSTRAINT audit_outcome_known CHECK (outcome IN ('allowed', 'refused', 'failed')),
    CONSTRAINT audit_says_who CHECK (user_id <> '' AND user_role <> '' AND event_code <> '')
);
COMMENT ON TABLE audit IS 'Reads, searches, exports, changes, logins: insert-only, hash-chained in each shard (NEN 7513).';
CREATE INDEX audit_of_patients ON audit USING gin (patients);
CREATE INDEX audit_by_time ON audit (happened_us);

CREATE TABLE audit_head (
    shard smallint NOT NULL,
    number bigint NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_head_pkey PRIMARY KEY (shard)
);
COMMENT ON TABLE audit_head IS 'How long each chain is, and the hash of its last row.';
INSERT INTO audit_head
    SELECT shard, 0, sha256(convert_to('thuiswacht.audit.' || shard, 'UTF8')) FROM generate_series(0, 15) AS shard;

CREATE FUNCTION framed(value text) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN value IS NULL THEN convert_to('-', 'UTF8')
        ELSE convert_to(octet_length(convert_to(value, 'UTF8')) || ':' || value, 'UTF8') END
$$;
COMMENT ON FUNCTION framed(text) IS 'A value as it is hashed: length in bytes, a colon, the text; a dash for none.';

-- Locks the end of one chain until the transaction ends: audit rows are written last, just before the commit.
CREATE FUNCTION write_audit(
    shard smallint, event_code text, action text, happened_us bigint, user_id text, user_role text,
    identifier_type text, identifier text, authorisation_protocol text, source text, organisation_id uuid,
    patients uuid[], ground text, outcome text, session text, reason text, details text
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    last audit_head%ROWTYPE;
    new_hash bytea;
BEGIN
    SELECT * INTO STRICT last FROM audit_head AS h WHERE h.shard = shard FOR UPDATE;
    new_hash := sha256(
        last.hash || framed(shard::text) || framed((last.number + 1)::text) || framed(event_code) || framed(action)
        || framed(happened_us::text) || framed(user_id) || framed(user_role) || framed(identifier_type)
        || framed(identifier) || framed(authorisation_protocol) || framed(source) || framed(organisation_id::text)
        || framed(array_to_string(patients, ',')) || framed(ground) || framed(outcome) || framed(session)
        || framed(reason) || framed(details)
    );
    INSERT INTO audit VALUES (
        shard, last.number + 1, event_code, action, happened_us, user_id, user_role, identifier_type, identifier,
        authorisation_protocol, source, organisation_id, patients, ground, outcome, session, reason, details,
        last.hash, new_hash
    );
    UPDATE audit_head AS h SET number = last.number + 1, hash = new_hash WHERE h.shard = shard;
    RETURN last.number + 1;
END
$$;
COMMENT ON FUNCTION write_audit IS 'Appends a row to the chain of its shard; the only way in.';
REVOKE ALL ON FUNCTION write_audit FROM PUBLIC;
GRANT EXECUTE ON FUNCTION write_audit TO thuiswacht_people, thuiswacht_login, thuiswacht_audit;

-- What is older than the law asks is let go of by a function of a later migration, and by nothing else.
CREATE FUNCTION keep_audit() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'audit' AND current_user = 'thuiswacht_owner' THEN
        IF OLD.happened_us < nullif(current_setting('thuiswacht.audit_before_us', true), '')::bigint THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit log is only ever added to' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION keep_audit();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION keep_audit();
CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head FOR EACH ROW EXECUTE FUNCTION keep_audit();

ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_written ON audit FOR INSERT TO thuiswacht_owner WITH CHECK (true);
CREATE POLICY audit_verified ON audit FOR SELECT TO thuiswacht_audit USING (true);
-- A privacy officer reviews what was done by their own organisation; looks at one patient come by a function.
CREATE POLICY audit_reviewed ON audit FOR SELECT TO thuiswacht_people
    USING ((SELECT may_by_office('audit.review')) AND organisation_id = (SELECT declared_organisation()));

GRANT SELECT ON audit, audit_head TO thuiswacht_audit;
GRANT SELECT ON audit TO thuiswacht_people;

-- Who may deliver: systems with several keys each, one after the other or side by side; and the front gate, a role with
-- no table at all: it knows who somebody is, and for which patient a device speaks, by the functions below alone.

ALTER TABLE client ALTER COLUMN public_key DROP NOT NULL;
ALTER TABLE client ADD COLUMN names_patients boolean NOT NULL DEFAULT false;
ALTER TABLE client ADD COLUMN per_second real NOT NULL DEFAULT 50;
ALTER TABLE client ADD COLUMN burst integer NOT NULL DEFAULT 200;
ALTER TABLE client ADD COLUMN adapter text;
ALTER TABLE client ADD CONSTRAINT client_limits_are_some CHECK (per_second > 0 AND burst >= 1);
COMMENT ON TABLE client IS 'Systems that come by themselves, and what each may do. Their keys are in client_key.';
COMMENT ON COLUMN client.public_key IS 'Of the version before this one, which knew one key a system; read by nobody any more.';
COMMENT ON COLUMN client.removed_at IS 'When it was revoked: from then on it is nobody.';
COMMENT ON COLUMN client.names_patients IS 'Whether it may say for whom it delivers; others speak for the devices on loan alone.';
COMMENT ON COLUMN client.per_second IS 'So many requests a second in the long run, at each instance of the front gate.';
COMMENT ON COLUMN client.burst IS 'So many at once, after a pause.';
COMMENT ON COLUMN client.adapter IS 'Which of our adapters reads its webhooks; null: it sends none.';

CREATE TABLE client_key (
    client_id text NOT NULL,
    number integer NOT NULL,
    kind text NOT NULL,
    public_key text,
    sealed_secret bytea,
    thumbprint bytea,
    subject text,
    from_at timestamptz NOT NULL,
    until_at timestamptz,
    used_on date,
    CONSTRAINT client_key_pkey PRIMARY KEY (client_id, number),
    CONSTRAINT client_key_client_fkey FOREIGN KEY (client_id) REFERENCES client,
    CONSTRAINT client_key_kind_known CHECK (kind IN ('public_key', 'hmac', 'certificate')),
    CONSTRAINT client_key_is_what_it_says CHECK (
        num_nonnulls(public_key, sealed_secret, thumbprint, subject) = 1
        AND (kind = 'public_key') = (public_key IS NOT NULL) AND (kind = 'hmac') = (sealed_secret IS NOT NULL)
    ),
    CONSTRAINT client_key_is_public CHECK (public_key LIKE '-----BEGIN PUBLIC KEY-----%'),
    CONSTRAINT client_key_thumbprint_is_a_digest CHECK (length(thumbprint) = 32),
    CONSTRAINT client_key_ends_after_it_begins CHECK (until_at >= from_at)
);
COMMENT ON TABLE client_key IS 'By what a system is known: a public key, a secret (sealed), or a certificate that a proxy verified.';
COMMENT ON COLUMN client_key.sealed_secret IS 'AES-256-GCM, bound to its client and number. ingest/delivery/clients/sealing.py';
COMMENT ON COLUMN client_key.thumbprint IS 'SHA-256 of the certificate; or subject, its name as RFC 4514 writes it.';
COMMENT ON COLUMN client_key.until_at IS 'From then on it counts for nothing: after a rotation, or at once.';
COMMENT ON COLUMN client_key.used_on IS 'The last day on which it was used, in UTC.';
-- A certificate is one system's. A name may go over to another when the one that had it has ended: then it is nobody''s
-- for as long as both are known by it.
CREATE UNIQUE INDEX client_key_certificate_once ON client_key (thumbprint);
CREATE UNIQUE INDEX client_key_subject_open_once ON client_key (subject) WHERE until_at IS NULL;
CREATE INDEX client_key_by_subject ON client_key (subject) WHERE subject IS NOT NULL;

INSERT INTO client_key (client_id, number, kind, public_key, from_at, until_at)
    SELECT client_id, 1, 'public_key', public_key, added_at, removed_at FROM client;

ALTER TABLE session ADD COLUMN client_id text;
ALTER TABLE session ADD COLUMN client_key integer;
ALTER TABLE session ADD CONSTRAINT session_client_key_fkey FOREIGN KEY (client_id, client_key) REFERENCES client_key;
ALTER TABLE session ADD CONSTRAINT session_of_a_whole_key CHECK ((client_id IS NULL) = (client_key IS NULL));
COMMENT ON COLUMN session.client_id IS 'Of the token of a system: whose it is, and which key it was given for; it ends with either.';
CREATE INDEX session_open_of_client ON session (client_id, client_key) WHERE ended_at IS NULL AND client_id IS NOT NULL;

-- What is signed whole, rather than sent with a token that was asked for a moment ago, can be sent again by whoever saw
-- it. Readings count once anyway; but a correction that comes back after a newer one would undo it.
CREATE TABLE client_request (
    client_id text NOT NULL,
    id_sha256 bytea NOT NULL,
    until_at timestamptz NOT NULL,
    CONSTRAINT client_request_pkey PRIMARY KEY (client_id, id_sha256),
    CONSTRAINT client_request_id_is_a_digest CHECK (length(id_sha256) = 32)
);
COMMENT ON TABLE client_request IS
    'Signed requests that were answered well, as long as their signature would count: each has its effect once.';
CREATE INDEX client_request_by_end ON client_request (until_at);

CREATE INDEX device_loan_of_device ON device_loan (device_id, returned_at DESC) WHERE returned_at IS NOT NULL;
CREATE POLICY patient_care_for_functions ON patient_care FOR SELECT TO thuiswacht_owner USING (true);

-- The front gate. What these functions answer rests on the client alone, never on what the gate says about it.

CREATE VIEW client_in_office AS
    SELECT
        c.client_id, c.person_id, c.organisation_id, c.names_patients, c.per_second, c.burst, c.adapter
    FROM client AS c
    JOIN person AS p ON p.person_id = c.person_id AND (p.left_at IS NULL OR p.left_at > statement_timestamp())
    JOIN person_role AS r ON (r.person_id, r.organisation_id, r.role) = (c.person_id, c.organisation_id, 'service')
        AND r.from_at <= statement_timestamp() AND (r.until_at IS NULL OR r.until_at > statement_timestamp())
    WHERE c.removed_at IS NULL;
COMMENT ON VIEW client_in_office IS 'Systems that are not revoked and act for their organisation today.';

CREATE FUNCTION gateway_callers(tokens bytea[], clients text[], thumbprints bytea[], subjects text[])
RETURNS TABLE (
    place bigint, client_id text, person_id uuid, organisation_id uuid, names_patients boolean, per_second real,
    burst integer, adapter text, numbers integer[], secrets bytea[], used_on date
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH shown AS (
        SELECT a.place, k.client_id, k.number, k.sealed_secret, k.used_on
        FROM unnest(tokens) WITH ORDINALITY AS a (token, place)
        JOIN session AS s ON s.token_sha256 = a.token
        JOIN client_key AS k ON (k.client_id, k.number) = (s.client_id, s.client_key)
        WHERE s.kind = 'system' AND s.ended_at IS NULL AND s.until_at > statement_timestamp()
          AND k.from_at <= statement_timestamp() AND (k.until_at IS NULL OR k.until_at > statement_timestamp())
        UNION ALL
        SELECT a.place, k.client_id, k.number, k.sealed_secret, k.used_on
        FROM unnest(clients) WITH ORDINALITY AS a (client, place)
        JOIN client_key AS k ON k.client_id = a.client
        WHERE k.kind = 'hmac' AND k.from_at <= statement_timestamp()
          AND (k.until_at IS NULL OR k.until_at > statement_timestamp())
        UNION ALL
        SELECT a.place, k.client_id, k.number, k.sealed_secret, k.used_on
        FROM unnest(thumbprints, subjects) WITH ORDINALITY AS a (thumbprint, subject, place)
        JOIN client_key AS k ON k.thumbprint = a.thumbprint OR k.subject = a.subject
        WHERE k.kind = 'certificate' AND k.from_at <= statement_timestamp()
          AND (k.until_at IS NULL OR k.until_at > statement_timestamp())
    )
    SELECT
        s.place, c.client_id, c.person_id, c.organisation_id, c.names_patients, c.per_second, c.burst, c.adapter,
        array_agg(s.number ORDER BY s.number DESC), array_agg(s.sealed_secret ORDER BY s.number DESC), min(s.used_on)
    FROM shown AS s JOIN client_in_office AS c USING (client_id)
    GROUP BY s.place, c.client_id, c.person_id, c.organisation_id, c.names_patients, c.per_second, c.burst, c.adapter
$$;
COMMENT ON FUNCTION gateway_callers IS
    'Who shows these: tokens, ids of who signs, certificates; four arrays of one length, each place filled in one way.
Nothing for what is unknown, ended or revoked; two clients of one place: it is neither.';

CREATE FUNCTION gateway_used(clients text[], used integer[]) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE client_key AS k SET used_on = (statement_timestamp() AT TIME ZONE 'UTC')::date
    FROM unnest(clients, used) AS u (client, number)
    WHERE k.client_id = u.client AND k.number = u.number
      AND k.used_on IS DISTINCT FROM (statement_timestamp() AT TIME ZONE 'UTC')::date
$$;
COMMENT ON FUNCTION gateway_used(text[], integer[]) IS 'Notes the day on which keys were used.';

CREATE FUNCTION gateway_delivered(clients text[], ids bytea[]) RETURNS TABLE (place bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT a.place FROM unnest(clients, ids) WITH ORDINALITY AS a (client, id, place)
    WHERE EXISTS (SELECT FROM client_request AS r WHERE (r.client_id, r.id_sha256) = (a.client, a.id))
$$;
COMMENT ON FUNCTION gateway_delivered(text[], bytea[]) IS 'Which of these signed requests were answered well before.';

CREATE FUNCTION gateway_note_delivered(clients text[], ids bytea[], seconds integer[]) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- Another instance may be forgetting the same ones: neither waits for the other.
    DELETE FROM client_request AS r USING (
        SELECT o.client_id, o.id_sha256 FROM client_request AS o
        WHERE o.until_at < statement_timestamp() FOR UPDATE SKIP LOCKED
    ) AS old WHERE (r.client_id, r.id_sha256) = (old.client_id, old.id_sha256);
    INSERT INTO client_request (client_id, id_sha256, until_at)
        SELECT DISTINCT ON (a.client, a.id) a.client, a.id, statement_timestamp() + make_interval(secs => a.seconds)
        FROM unnest(clients, ids, seconds) AS a (client, id, seconds)
        ORDER BY a.client, a.id
        ON CONFLICT ON CONSTRAINT client_request_pkey DO NOTHING;
END
$$;
COMMENT ON FUNCTION gateway_note_delivered(text[], bytea[], integer[]) IS
    'Remembers signed requests that were answered well, and forgets those that nobody would take any more.';

CREATE FUNCTION registration_that_stays(patient uuid) RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
DECLARE
    other uuid;
BEGIN
    -- Merges never lead round: one that stays has not ended. Bounded all the same.
    FOR step IN 1 .. 20 LOOP
        SELECT c.merged_into INTO other FROM patient_care AS c
        WHERE c.patient_id = patient ORDER BY c.version DESC LIMIT 1;
        EXIT WHEN other IS NULL;
        patient := other;
    END LOOP;
    RETURN patient;
END
$$;
COMMENT ON FUNCTION registration_that_stays(uuid) IS 'The registration that a double was merged into; without, the same.';

CREATE FUNCTION client_may(wanted text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM access_policy AS p
        WHERE p.action = 'reading.deliver' AND p.role = 'service' AND p.ground = wanted
    )
$$;
COMMENT ON FUNCTION client_may(text) IS 'Whether systems may deliver on this ground, where it holds.';

CREATE FUNCTION gateway_speakers(clients text[], devices text[], patients uuid[], bsns bytea[])
RETURNS TABLE (
    place bigint, on_loan boolean, patient uuid, since_at timestamptz, named_same boolean, treatment boolean,
    objection boolean, simulated boolean
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH asked AS MATERIALIZED (
        SELECT
            a.place, a.device, c.organisation_id, c.names_patients, l.patient_id AS lent_to,
            CASE WHEN d.merged_into IS NULL THEN l.patient_id ELSE registration_that_stays(d.merged_into) END
                AS by_device,
            a.patient IS NOT NULL OR a.bsn IS NOT NULL AS is_named,
            CASE WHEN a.patient IS NULL OR a.patient IS NOT DISTINCT FROM l.patient_id AND d.merged_into IS NULL
                THEN a.patient ELSE registration_that_stays(a.patient) END AS by_id,
            a.bsn IS NOT NULL AS has_bsn,
            i.patient_id AS by_bsn
        FROM unnest(clients, devices, patients, bsns) WITH ORDINALITY AS a (client, device, patient, bsn, place)
        JOIN client_in_office AS c ON c.client_id = a.client
        LEFT JOIN device_loan AS l ON l.device_id = a.device AND l.returned_at IS NULL
        LEFT JOIN LATERAL (
            SELECT k.merged_into FROM patient_care AS k WHERE k.patient_id = l.patient_id
            ORDER BY k.version DESC LIMIT 1
        ) AS d ON true
        LEFT JOIN patient_identity AS i ON i.bsn_digest = a.bsn AND i.is_current AND c.names_patients
    ), meant AS MATERIALIZED (
        SELECT
            a.*,
            CASE
                WHEN NOT has_bsn THEN by_id
                WHEN by_id IS NULL OR by_id = by_bsn THEN by_bsn
            END AS named
        FROM asked AS a
    ), whom AS MATERIALIZED (
        SELECT m.*, coalesce(m.by_device, CASE WHEN m.names_patients THEN m.named END) AS whom FROM meant AS m
    ), related AS MATERIALIZED (
        SELECT
            m.*, t.patient_id IS NOT NULL AS treatment, o.patient_id IS NOT NULL AS objection,
            r.origin IS NOT DISTINCT FROM 'simulated' AS simulated
        FROM whom AS m
        LEFT JOIN registration AS r ON r.patient_id = m.whom
        LEFT JOIN LATERAL (
            SELECT w.patient_id FROM treatment_relation AS w
            WHERE w.patient_id = r.patient_id AND w.organisation_id = m.organisation_id
              AND w.from_at <= statement_timestamp() AND (w.until_at IS NULL OR w.until_at > statement_timestamp())
            LIMIT 1
        ) AS t ON true
        LEFT JOIN LATERAL (
            SELECT w.patient_id FROM objection AS w
            WHERE w.patient_id = r.patient_id AND w.organisation_id = m.organisation_id
              AND w.from_at <= statement_timestamp() AND (w.until_at IS NULL OR w.until_at > statement_timestamp())
            LIMIT 1
        ) AS o ON true
    ), fenced AS (
        SELECT
            m.*,
            (m.treatment AND NOT m.objection AND (SELECT client_may('treatment')))
                OR (m.simulated AND (SELECT client_may('simulated'))) AS may
        FROM related AS m
    )
    SELECT
        f.place, f.lent_to IS NOT NULL,
        CASE WHEN f.may THEN f.whom END,
        CASE WHEN f.may AND f.by_device IS NOT NULL THEN (
            SELECT max(b.returned_at) FROM device_loan AS b
            WHERE b.device_id = f.device AND b.returned_at IS NOT NULL AND b.patient_id <> f.lent_to
              AND registration_that_stays(b.patient_id) <> f.by_device
        ) END,
        NOT f.is_named OR f.may AND f.named IS NOT DISTINCT FROM f.whom,
        f.may AND f.treatment, f.may AND f.objection, f.may AND f.simulated
    FROM fenced AS f
$$;
COMMENT ON FUNCTION gateway_speakers IS
    'For whom clients may deliver: the patient who has the device, else the one who is named, where the policy lets this
client deliver for them; whether who is named is the same; and the relation, for models/access.py to decide again. A double
leads to the registration that stays. since_at: what was measured earlier is of whoever had the device before.';

-- For who administers, in the console.
CREATE FUNCTION list_clients() RETURNS TABLE (
    client_id text, person_id uuid, organisation_id uuid, added_at timestamptz, removed_at timestamptz,
    names_patients boolean, keys jsonb
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT
        c.client_id, c.person_id, c.organisation_id, c.added_at, c.removed_at, c.names_patients,
        coalesce((
            SELECT jsonb_agg(jsonb_build_object(
                'number', k.number, 'kind', k.kind, 'from_at', k.from_at, 'until_at', k.until_at, 'used_on', k.used_on
            ) ORDER BY k.number)
            FROM client_key AS k WHERE k.client_id = c.client_id
        ), '[]')
    FROM client AS c WHERE (SELECT may_by_office('people.change')) ORDER BY c.client_id
$$;
COMMENT ON FUNCTION list_clients() IS 'Systems that come by themselves and their keys, for who administers people; no secrets.';

CREATE OR REPLACE FUNCTION add_system(new_client text, person uuid, organisation uuid, key text) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH added AS (
        INSERT INTO client (client_id, person_id, organisation_id, added_at)
        SELECT new_client, person, organisation, clock_timestamp()
        WHERE (SELECT may_by_office('people.change'))
        ON CONFLICT ON CONSTRAINT client_pkey DO NOTHING RETURNING client_id, added_at
    ), keyed AS (
        INSERT INTO client_key (client_id, number, kind, public_key, from_at)
        SELECT a.client_id, 1, 'public_key', key, a.added_at FROM added AS a RETURNING 1
    )
    SELECT EXISTS (SELECT FROM keyed)
$$;

CREATE OR REPLACE FUNCTION remove_system(wanted text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE client AS c SET removed_at = clock_timestamp()
    WHERE c.client_id = wanted AND c.removed_at IS NULL AND (SELECT may_by_office('people.change'));
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    -- A statement of its own: who gave a token meanwhile held the row above, and that token is seen from here.
    UPDATE session AS s SET ended_at = clock_timestamp(), ended_why = 'withdrawn' FROM client AS c
    WHERE c.client_id = wanted AND s.person_id = c.person_id AND s.ended_at IS NULL;
    RETURN true;
END
$$;

GRANT SELECT, INSERT ON client_key TO thuiswacht_login;
GRANT UPDATE (until_at, used_on) ON client_key TO thuiswacht_login;
GRANT SELECT ON installation, migration, access_policy TO thuiswacht_gateway;

REVOKE ALL ON FUNCTION registration_that_stays(uuid), client_may(text),
    gateway_callers(bytea[], text[], bytea[], text[]), gateway_used(text[], integer[]),
    gateway_delivered(text[], bytea[]), gateway_note_delivered(text[], bytea[], integer[]),
    gateway_speakers(text[], text[], uuid[], bytea[]), list_clients()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gateway_callers(bytea[], text[], bytea[], text[]), gateway_used(text[], integer[]),
    gateway_delivered(text[], bytea[]), gateway_note_delivered(text[], bytea[], integer[]),
    gateway_speakers(text[], text[], uuid[], bytea[])
    TO thuiswacht_gateway;
GRANT EXECUTE ON FUNCTION list_clients() TO thuiswacht_people;

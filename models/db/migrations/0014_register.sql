-- The register: who the patients are, what was decided about them, what of it is still to be told to the log; and
-- which programmes there are to enrol in. All of a patient is fenced; names and national numbers are sealed.

-- What can be enrolled in, as alerting has it loaded: the register knows no programme files.
CREATE TABLE programme_catalogue (
    programme text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    offered jsonb NOT NULL,
    offered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT programme_catalogue_pkey PRIMARY KEY (programme, version)
);
COMMENT ON TABLE programme_catalogue IS
    'Programmes and versions that alerting runs: titles, limits with unit and plausible range, names of schedules.';
GRANT SELECT, INSERT, UPDATE ON programme_catalogue TO thuiswacht_alerting;
GRANT SELECT ON programme_catalogue TO thuiswacht_people, thuiswacht_read;

-- What was decided about a patient that matters to the engine. At once history, what holds now, and outbox.
CREATE TABLE register_change (
    patient_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    number integer NOT NULL,
    change_id uuid NOT NULL,
    valid_from_us bigint NOT NULL,
    correction boolean NOT NULL DEFAULT false,
    change jsonb NOT NULL,
    by uuid,
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    told_at timestamptz,
    CONSTRAINT register_change_pkey PRIMARY KEY (patient_id, number),
    CONSTRAINT register_change_id_key UNIQUE (change_id),
    CONSTRAINT register_change_registration_fkey FOREIGN KEY (patient_id) REFERENCES registration
);
COMMENT ON TABLE register_change IS 'Changes for the log, numbered for each patient in the order in which they are told.';
COMMENT ON COLUMN register_change.change IS 'The content of the message, as on the wire.';
COMMENT ON COLUMN register_change.told_at IS 'When the broker had confirmed it; null: still to be told.';
CREATE INDEX register_change_to_tell ON register_change (decided_at, patient_id, number) WHERE told_at IS NULL;

-- All else that is decided about a patient: a row for each version, so that what was is never lost.
CREATE TABLE patient_care (
    patient_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    version integer NOT NULL,
    huisarts_id uuid,
    wijk text,
    language text NOT NULL DEFAULT 'nl',
    treatment_plan text,
    advance_care text,
    informed_at timestamptz,
    informed_by uuid,
    review_on date,
    ended_at timestamptz,
    merged_into uuid,
    by uuid,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT patient_care_pkey PRIMARY KEY (patient_id, version),
    CONSTRAINT patient_care_registration_fkey FOREIGN KEY (patient_id) REFERENCES registration,
    CONSTRAINT patient_care_huisarts_fkey FOREIGN KEY (huisarts_id) REFERENCES organisation,
    CONSTRAINT patient_care_informed_by_fkey FOREIGN KEY (informed_by) REFERENCES person,
    CONSTRAINT patient_care_merged_into_fkey FOREIGN KEY (merged_into) REFERENCES registration,
    CONSTRAINT patient_care_informed_whole CHECK ((informed_at IS NULL) = (informed_by IS NULL)),
    CONSTRAINT patient_care_merged_has_ended CHECK (merged_into IS NULL OR ended_at IS NOT NULL),
    CONSTRAINT patient_care_merged_into_another CHECK (merged_into <> patient_id)
);
COMMENT ON TABLE patient_care IS 'What is known of a patient''s care; the highest version holds, the others are history.';
COMMENT ON COLUMN patient_care.version IS 'That of the registration when it was written.';
COMMENT ON COLUMN patient_care.review_on IS 'When somebody looks whether the lighter schedule is enough.';
COMMENT ON COLUMN patient_care.merged_into IS 'The registration that stays, where this one was a double.';
CREATE INDEX patient_care_to_review ON patient_care (review_on) WHERE review_on IS NOT NULL;

CREATE TABLE device_loan (
    patient_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    device_id text NOT NULL,
    kind text NOT NULL,
    handed_out_at timestamptz NOT NULL,
    returned_at timestamptz,
    by uuid,
    CONSTRAINT device_loan_pkey PRIMARY KEY (patient_id, device_id, handed_out_at),
    CONSTRAINT device_loan_registration_fkey FOREIGN KEY (patient_id) REFERENCES registration,
    CONSTRAINT device_loan_ends_after_it_begins CHECK (returned_at >= handed_out_at)
);
COMMENT ON TABLE device_loan IS 'Which devices a patient has at home, or had.';
CREATE UNIQUE INDEX device_loan_one_place ON device_loan (device_id) WHERE returned_at IS NULL;

-- No role has a right on this table: the two functions below are the only way in and out.
CREATE TABLE patient_identity (
    patient_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    sealed bytea NOT NULL,
    key_id text NOT NULL,
    bsn_digest bytea,
    name_digest bytea NOT NULL,
    is_current boolean NOT NULL DEFAULT true,
    CONSTRAINT patient_identity_pkey PRIMARY KEY (patient_id),
    CONSTRAINT patient_identity_registration_fkey FOREIGN KEY (patient_id) REFERENCES registration
);
COMMENT ON TABLE patient_identity IS
    'Name, birth date, national number, contacts: AES-256-GCM, bound to the patient. models/identity.py';
COMMENT ON COLUMN patient_identity.bsn_digest IS 'HMAC-SHA-256 of the number: found by who has the key, read by nobody.';
COMMENT ON COLUMN patient_identity.is_current IS
    'False once the follow-up has ended otherwise than by death: the same person may then be registered anew.';
CREATE UNIQUE INDEX patient_identity_bsn_once ON patient_identity (bsn_digest) WHERE is_current;
CREATE INDEX patient_identity_by_bsn ON patient_identity (bsn_digest);
CREATE INDEX patient_identity_by_name ON patient_identity (name_digest);

CREATE FUNCTION read_identities(patients uuid[], bsn bytea, name bytea)
RETURNS TABLE (patient_id uuid, sealed bytea, key_id text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 5 AS $$
    WITH found AS MATERIALIZED (
        SELECT i.patient_id, i.sealed, i.key_id FROM patient_identity AS i
        WHERE i.patient_id = ANY(patients) OR i.bsn_digest = bsn OR i.name_digest = name
    )
    SELECT f.patient_id, f.sealed, f.key_id FROM found AS f WHERE sees(f.patient_id)
$$;
COMMENT ON FUNCTION read_identities(uuid[], bytea, bytea) IS
    'The only way to what is sealed, by id, number or name: of patients whom the declared user may see.';

CREATE FUNCTION write_identities(
    patients uuid[], new_sealed bytea[], new_key_id text, bsns bytea[], names bytea[], current boolean
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM unnest(patients) AS p WHERE p IS NULL OR NOT (
            is_included_here(p)
            OR (declared_action() IN ('patient.change', 'patient.merge', 'correction.make') AND sees(p))
        )
    ) THEN
        RAISE EXCEPTION 'not a patient whose identity the declared user may write'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- Without anything sealed, only whether it is current changes.
    UPDATE patient_identity AS i SET is_current = current
    FROM unnest(patients, new_sealed) AS w (patient, is_sealed)
    WHERE i.patient_id = w.patient AND w.is_sealed IS NULL;
    INSERT INTO patient_identity AS i (
        patient_id, organisation_id, sealed, key_id, bsn_digest, name_digest, is_current
    )
    SELECT w.patient, r.organisation_id, w.is_sealed, new_key_id, w.bsn, w.name, current
    FROM unnest(patients, new_sealed, bsns, names) AS w (patient, is_sealed, bsn, name)
    JOIN registration AS r ON r.patient_id = w.patient
    WHERE w.is_sealed IS NOT NULL
    ON CONFLICT ON CONSTRAINT patient_identity_pkey DO UPDATE SET
        sealed = excluded.sealed, key_id = excluded.key_id, bsn_digest = excluded.bsn_digest,
        name_digest = excluded.name_digest;
END
$$;
COMMENT ON FUNCTION write_identities IS 'The only way to write what is sealed: at inclusion, or for a patient whom one may change.';
REVOKE ALL ON FUNCTION read_identities FROM PUBLIC;
REVOKE ALL ON FUNCTION write_identities FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read_identities, write_identities TO thuiswacht_people;

-- Where messages to organisations and people go.
CREATE TABLE message_address (
    address_id uuid NOT NULL,
    organisation_id uuid,
    person_id uuid,
    channel text NOT NULL,
    address text NOT NULL,
    from_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    until_at timestamptz,
    CONSTRAINT message_address_pkey PRIMARY KEY (address_id),
    CONSTRAINT message_address_organisation_fkey FOREIGN KEY (organisation_id) REFERENCES organisation,
    CONSTRAINT message_address_person_fkey FOREIGN KEY (person_id) REFERENCES person,
    CONSTRAINT message_address_of_one CHECK (num_nonnulls(organisation_id, person_id) = 1),
    CONSTRAINT message_address_channel_known CHECK (channel IN ('email', 'zorgmail', 'fhir', 'phone')),
    CONSTRAINT message_address_ends_after_it_begins CHECK (until_at >= from_at)
);
COMMENT ON TABLE message_address IS 'Where messages go, of an organisation or of a person; never of a patient.';
CREATE UNIQUE INDEX message_address_one_open ON message_address
    (coalesce(organisation_id, person_id), channel, address) WHERE until_at IS NULL;

-- Who was in the log before there was a register: everything is decided and told already. The owner sees no rows of
-- fenced tables, but for this.
ALTER TABLE patient NO FORCE ROW LEVEL SECURITY;
ALTER TABLE patient_change NO FORCE ROW LEVEL SECURITY;
INSERT INTO register_change (
    patient_id, organisation_id, number, change_id, valid_from_us, correction, change, decided_at, told_at
)
    SELECT
        patient_id, organisation_id, row_number() OVER (PARTITION BY patient_id ORDER BY log_offset), change_id,
        round(extract(epoch FROM valid_from) * 1000000), correction, change, effective_from, clock_timestamp()
    FROM patient_change;
INSERT INTO patient_care (patient_id, organisation_id, version, wijk, language)
    SELECT patient_id, organisation_id, 1, wijk, language FROM patient;
ALTER TABLE patient FORCE ROW LEVEL SECURITY;
ALTER TABLE patient_change FORCE ROW LEVEL SECURITY;

CALL fence('register_change');
CALL fence('patient_care');
CALL fence('device_loan');
CALL fence('patient_identity');
CREATE POLICY patient_identity_for_functions ON patient_identity TO thuiswacht_owner USING (true) WITH CHECK (true);
CREATE POLICY register_change_included ON register_change FOR INSERT TO thuiswacht_people
    WITH CHECK (is_included_here(patient_id));
CREATE POLICY patient_care_included ON patient_care FOR INSERT TO thuiswacht_people
    WITH CHECK (is_included_here(patient_id));
CREATE POLICY device_loan_included ON device_loan FOR INSERT TO thuiswacht_people
    WITH CHECK (is_included_here(patient_id));
-- The publisher tells of everybody, and sees no more of them than what it tells.
CREATE POLICY register_change_told ON register_change TO thuiswacht_register USING (true) WITH CHECK (true);

GRANT SELECT, INSERT ON register_change, patient_care TO thuiswacht_people;
GRANT SELECT, INSERT, UPDATE (returned_at) ON device_loan TO thuiswacht_people;
GRANT SELECT, UPDATE (told_at) ON register_change TO thuiswacht_register;
GRANT SELECT ON installation, migration TO thuiswacht_register;
GRANT SELECT ON register_change TO thuiswacht_read;
GRANT SELECT, INSERT, UPDATE (until_at) ON message_address TO thuiswacht_people;

-- Who works here, and where, is known to all who work here, and changed by administrators alone.
ALTER TABLE organisation ENABLE ROW LEVEL SECURITY;
ALTER TABLE person ENABLE ROW LEVEL SECURITY;
ALTER TABLE person_role ENABLE ROW LEVEL SECURITY;
ALTER TABLE message_address ENABLE ROW LEVEL SECURITY;
DO $$
DECLARE
    name text;
    doing text;
BEGIN
    FOREACH name IN ARRAY ARRAY['organisation', 'person', 'person_role', 'message_address'] LOOP
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING (true)', name || '_known', name);
        -- The other services write what their grants let them.
        EXECUTE format(
            'CREATE POLICY %I ON %I TO thuiswacht_register, thuiswacht_login USING (true) WITH CHECK (true)',
            name || '_for_services', name
        );
        FOREACH doing IN ARRAY ARRAY['organisation', 'people'] LOOP
            CONTINUE WHEN (name IN ('person', 'person_role') AND doing = 'organisation')
                OR (name = 'organisation' AND doing = 'people');
            EXECUTE format(
                'CREATE POLICY %I ON %I TO thuiswacht_people USING (may_by_office(%L)) WITH CHECK (may_by_office(%L))',
                name || '_by_' || doing, name, doing || '.change', doing || '.change'
            );
        END LOOP;
    END LOOP;
END
$$;

-- The very first administrator, whom nobody can have entered. Once there are people it does nothing any more.
CREATE FUNCTION begin_register(
    organisation uuid, organisation_name text, organisation_kind text, person uuid, person_name text
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('thuiswacht.begin_register'));
    IF EXISTS (SELECT FROM person AS p WHERE NOT p.is_system) THEN
        RETURN false;
    END IF;
    INSERT INTO organisation (organisation_id, name, kind, origin)
    VALUES (organisation, organisation_name, organisation_kind, CASE WHEN is_trial() THEN 'simulated' ELSE 'real' END);
    INSERT INTO person (person_id, name) VALUES (person, person_name);
    INSERT INTO person_role (person_id, organisation_id, role) VALUES (person, organisation, 'administrator');
    RETURN true;
END
$$;
COMMENT ON FUNCTION begin_register IS 'Makes the first organisation and administrator; false where there are people already.';
REVOKE ALL ON FUNCTION begin_register FROM PUBLIC;
GRANT EXECUTE ON FUNCTION begin_register TO thuiswacht_people;

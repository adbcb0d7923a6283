-- Who is followed, by whom, and what was decided about them: written by ingest from the log's changes.

CREATE TABLE organisation (
    organisation_id uuid NOT NULL,
    name text,
    kind text,
    CONSTRAINT organisation_pkey PRIMARY KEY (organisation_id)
);
COMMENT ON TABLE organisation IS
    'Hospitals, practices, monitoring centres. A registration may name one before anybody has entered it.';

CREATE TABLE patient (
    patient_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    origin text NOT NULL,
    huisarts text,
    wijk text,
    language text NOT NULL,
    cluster_id text NOT NULL,
    topic text NOT NULL,
    log_partition integer NOT NULL,
    log_offset bigint NOT NULL,
    registered_at timestamptz NOT NULL,
    CONSTRAINT patient_pkey PRIMARY KEY (patient_id),
    CONSTRAINT patient_organisation_fkey FOREIGN KEY (organisation_id) REFERENCES organisation,
    CONSTRAINT patient_origin_known CHECK (origin IN ('real', 'simulated', 'canary'))
);
COMMENT ON TABLE patient IS 'Patients by a random id; no name, no national number.';
COMMENT ON COLUMN patient.origin IS 'Real, simulated or canary; no role may change it.';
COMMENT ON COLUMN patient.log_offset IS
    'Place of the registration in the log: uploads before it are of an unknown patient.';
CREATE INDEX patient_in_log ON patient (cluster_id, topic, log_partition, log_offset);

CREATE TABLE patient_change (
    patient_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    change_id uuid NOT NULL,
    cluster_id text NOT NULL,
    topic text NOT NULL,
    log_partition integer NOT NULL,
    log_offset bigint NOT NULL,
    valid_from timestamptz NOT NULL,
    effective_from timestamptz NOT NULL,
    correction boolean NOT NULL,
    change jsonb NOT NULL,
    CONSTRAINT patient_change_pkey PRIMARY KEY (patient_id, log_partition, log_offset),
    CONSTRAINT patient_change_patient_fkey FOREIGN KEY (patient_id) REFERENCES patient
);
COMMENT ON TABLE patient_change IS
    'The history of enrolments, limits, schedules, pauses, admissions: all that holds for a patient follows from it.';
COMMENT ON COLUMN patient_change.valid_from IS 'As sent.';
COMMENT ON COLUMN patient_change.effective_from IS
    'From when it holds: never before its place in the log, except for a correction that says so.';
COMMENT ON COLUMN patient_change.change IS 'The content of the message, as on the wire.';
CREATE INDEX patient_change_in_log ON patient_change (cluster_id, topic, log_partition, log_offset);

GRANT SELECT ON organisation, patient, patient_change
    TO thuiswacht_ingest, thuiswacht_alerting, thuiswacht_register, thuiswacht_read;
GRANT INSERT ON organisation, patient, patient_change TO thuiswacht_ingest;
GRANT INSERT, UPDATE (name, kind) ON organisation TO thuiswacht_register;

-- Messages to patients travel through the app of the vendor with whose devices they measure. The vendor knows who its
-- patient is by our patient id; we hold no address of a patient anywhere.
CREATE TABLE patient_app (
    address_id uuid NOT NULL,
    source text COLLATE "C" NOT NULL,
    address text NOT NULL,
    origin text NOT NULL,
    from_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    until_at timestamptz,
    CONSTRAINT patient_app_pkey PRIMARY KEY (address_id),
    CONSTRAINT patient_app_origin_known CHECK (origin IN ('real', 'simulated')),
    CONSTRAINT patient_app_ends_after_it_begins CHECK (until_at >= from_at)
);
COMMENT ON TABLE patient_app IS 'Where messages go to patients whose readings come from a source: the webhook of its app.';
COMMENT ON COLUMN patient_app.source IS 'As it stands at the readings.';
COMMENT ON COLUMN patient_app.origin IS 'Whose messages it gets: of real patients, or of simulated ones, never of both.';
CREATE UNIQUE INDEX patient_app_one_open ON patient_app (source, origin) WHERE until_at IS NULL;

ALTER TABLE patient_app ENABLE ROW LEVEL SECURITY;
CREATE POLICY patient_app_known ON patient_app FOR SELECT USING (true);
CREATE POLICY patient_app_by_organisation ON patient_app TO thuiswacht_people
    USING (may_by_office('organisation.change')) WITH CHECK (may_by_office('organisation.change'));
GRANT SELECT ON patient_app TO thuiswacht_dispatch, thuiswacht_people;
GRANT INSERT, UPDATE (until_at) ON patient_app TO thuiswacht_people;

-- Who the mantelzorger is stays sealed. That one may be told is known to who sends, and nothing more of them.
ALTER TABLE patient_care ADD COLUMN copy_to_mantelzorger boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN patient_care.copy_to_mantelzorger IS
    'Whether the sealed contacts had a mantelzorger who may be told, when they were last written.';

-- What was queued for a patient, to find again what is not needed any more; what the quality gate asks and waits for.
CREATE INDEX measurement_request_pending ON measurement_request (due_at) WHERE status = 'pending';
CREATE INDEX message_to_patient ON message (patient_id, due_at) WHERE kind = 'to_patient';

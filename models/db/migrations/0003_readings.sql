-- Every accepted reading, and every refused one with the bytes it came in.

-- Columns stand by falling alignment, so that no row carries padding. No foreign keys: kind and patient are
-- checked before, and a look-up per row would halve the rate. What the key holds is compared as bytes: with
-- the rules of a language, an update of the operating system could silently spoil the index.
CREATE TABLE reading (
    taken_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    sent_at timestamptz,
    log_offset bigint NOT NULL,
    value double precision,
    value_received double precision,
    revision integer NOT NULL,
    log_position integer NOT NULL,
    kind smallint NOT NULL,
    log_partition smallint NOT NULL,
    code smallint,
    utc_offset_min smallint,
    void boolean NOT NULL,
    too_late boolean NOT NULL,
    patient_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    upload_id uuid NOT NULL,
    device_id text COLLATE "C" NOT NULL,
    source text NOT NULL,
    unit_received text,
    code_received text,
    absent text,
    text text,
    group_label text,
    CONSTRAINT reading_pkey PRIMARY KEY (patient_id, kind, taken_at, device_id, revision, void)
) PARTITION BY RANGE (taken_at);
COMMENT ON TABLE reading IS
    'One row for each reading of a known patient. The key is its identity; the same key with another value is a
conflict and goes to quarantine. Partitioned by month, made ahead of use; there is no default partition.';
COMMENT ON COLUMN reading.taken_at IS 'When it was measured, by the device''s clock.';
COMMENT ON COLUMN reading.received_at IS 'When it was written to the log; alone decides what is late, past, future.';
COMMENT ON COLUMN reading.log_offset IS 'Offset of the message in partition log_partition of the log.';
COMMENT ON COLUMN reading.log_position IS 'Place within the upload, counted from 0.';
COMMENT ON COLUMN reading.value IS 'In the canonical unit of its kind; null for codes, remarks, absences and voids.';
COMMENT ON COLUMN reading.value_received IS 'As it arrived, in unit_received.';
COMMENT ON COLUMN reading.code IS 'Place in kind.codes.';
COMMENT ON COLUMN reading.void IS 'Takes back every value of this identity up to this revision, also one still to come.';
COMMENT ON COLUMN reading.too_late IS 'More than seven days behind its receipt: kept, never evaluated.';
COMMENT ON COLUMN reading.absent IS 'Why there is no value.';
COMMENT ON COLUMN reading.text IS 'A remark by the patient.';
COMMENT ON COLUMN reading.group_label IS 'Values or answers with the same label belong together.';
CREATE INDEX reading_received_at ON reading USING brin (received_at) WITH (autosummarize = on);

-- Services may not make tables. This function makes partitions for them, and nothing else.
CREATE FUNCTION ensure_reading_partitions(months date[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    month date;
    name text;
    made integer := 0;
BEGIN
    IF array_length(months, 1) > 1200 OR EXISTS (
        SELECT FROM unnest(months) AS m WHERE m IS NULL OR m < '1970-01-01' OR m >= '2101-01-01'
    ) THEN
        RAISE EXCEPTION 'months must lie in 1970…2100' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR month IN SELECT DISTINCT date_trunc('month', m)::date FROM unnest(months) AS m ORDER BY 1 LOOP
        name := to_char(month, '"reading_"YYYY"_"MM');
        CONTINUE WHEN to_regclass('public.' || name) IS NOT NULL;
        -- One at a time; who waited here finds the table made.
        PERFORM pg_advisory_xact_lock(hashtext('thuiswacht.reading_partitions'));
        CONTINUE WHEN to_regclass('public.' || name) IS NOT NULL;
        -- Made apart and then attached: PARTITION OF would lock out everybody who reads or writes readings.
        EXECUTE format('CREATE TABLE public.%I (LIKE public.reading INCLUDING ALL)', name);
        EXECUTE format(
            'ALTER TABLE public.reading ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
            name,
            to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00',
            to_char(month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00'
        );
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;
COMMENT ON FUNCTION ensure_reading_partitions(date[]) IS
    'Makes the monthly partitions of reading that are missing; returns how many it made.';
REVOKE ALL ON FUNCTION ensure_reading_partitions(date[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_reading_partitions(date[]) TO thuiswacht_ingest;

CREATE TABLE quarantine_message (
    cluster_id text NOT NULL,
    topic text NOT NULL,
    log_partition integer NOT NULL,
    log_offset bigint NOT NULL,
    organisation_id uuid,
    raw bytea NOT NULL,
    received_at timestamptz,
    quarantined_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT quarantine_message_pkey PRIMARY KEY (cluster_id, topic, log_partition, log_offset)
);
COMMENT ON TABLE quarantine_message IS 'The bytes of each message of which something was refused, once.';
COMMENT ON COLUMN quarantine_message.organisation_id IS 'Null where the message does not tell whose patient it is of.';

CREATE TABLE quarantine (
    cluster_id text NOT NULL,
    topic text NOT NULL,
    log_partition integer NOT NULL,
    log_offset bigint NOT NULL,
    log_position integer NOT NULL,
    patient_id uuid,
    organisation_id uuid,
    reason text NOT NULL,
    field text NOT NULL,
    expected text NOT NULL,
    found text NOT NULL,
    readings integer NOT NULL,
    retried_at timestamptz,
    CONSTRAINT quarantine_pkey PRIMARY KEY (cluster_id, topic, log_partition, log_offset, log_position),
    CONSTRAINT quarantine_message_fkey FOREIGN KEY (cluster_id, topic, log_partition, log_offset)
        REFERENCES quarantine_message,
    CONSTRAINT quarantine_position_valid CHECK (log_position >= -1),
    CONSTRAINT quarantine_readings_valid CHECK (readings >= 0)
);
COMMENT ON TABLE quarantine IS 'Each refused reading, or whole message, with what was expected and what was found.';
COMMENT ON COLUMN quarantine.log_position IS 'Place within the upload, counted from 0; -1 for the whole message.';
COMMENT ON COLUMN quarantine.readings IS 'For how many readings the refusal stands.';
CREATE INDEX quarantine_of_patient ON quarantine (patient_id) WHERE patient_id IS NOT NULL;

GRANT SELECT ON reading TO thuiswacht_ingest, thuiswacht_alerting, thuiswacht_read;
GRANT SELECT ON quarantine, quarantine_message TO thuiswacht_ingest, thuiswacht_read;
GRANT INSERT ON reading, quarantine, quarantine_message TO thuiswacht_ingest;
GRANT UPDATE (retried_at) ON quarantine TO thuiswacht_ingest;

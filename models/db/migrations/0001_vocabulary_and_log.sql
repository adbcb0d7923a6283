-- What this database is for, the kinds, and how far each consumer group has come in the log.

CREATE TABLE installation (
    only_row boolean NOT NULL DEFAULT true,
    purpose text NOT NULL,
    installed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT installation_pkey PRIMARY KEY (only_row),
    CONSTRAINT installation_is_one_row CHECK (only_row),
    CONSTRAINT installation_purpose_known CHECK (purpose IN ('live', 'trial'))
);
COMMENT ON TABLE installation IS
    'One row, written by the first migration: live (care for real patients) or trial (everything else).';

CREATE FUNCTION keep_installation() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the purpose of a database never changes' USING ERRCODE = 'restrict_violation';
END
$$;
COMMENT ON FUNCTION keep_installation() IS 'Real and simulated patients never mix, also not by mistake.';
CREATE TRIGGER installation_stays BEFORE UPDATE OR DELETE ON installation
    FOR EACH ROW EXECUTE FUNCTION keep_installation();
CREATE TRIGGER installation_is_not_emptied BEFORE TRUNCATE ON installation
    FOR EACH STATEMENT EXECUTE FUNCTION keep_installation();

CREATE TABLE kind (
    number smallint NOT NULL,
    name text NOT NULL,
    dutch text NOT NULL,
    english text NOT NULL,
    unit text,
    low double precision,
    high double precision,
    low_excluded boolean NOT NULL,
    codes text[] NOT NULL,
    dense boolean NOT NULL,
    CONSTRAINT kind_pkey PRIMARY KEY (number),
    CONSTRAINT kind_name_key UNIQUE (name)
);
COMMENT ON TABLE kind IS 'The kinds as models/kinds.py has them; every migration brings this table up to date.';
COMMENT ON COLUMN kind.unit IS 'Canonical UCUM unit of reading.value; null for coded kinds.';
COMMENT ON COLUMN kind.codes IS 'Closed list of a coded kind; reading.code is the place in it, counted from 0.';

CREATE TABLE log_position (
    consumer_group text NOT NULL,
    cluster_id text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL DEFAULT 0,
    clock_us bigint,
    readings_received bigint NOT NULL DEFAULT 0,
    readings_stored bigint NOT NULL DEFAULT 0,
    readings_duplicate bigint NOT NULL DEFAULT 0,
    readings_quarantined bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT log_position_pkey PRIMARY KEY (consumer_group, cluster_id, topic, partition),
    CONSTRAINT log_position_next_offset_valid CHECK (next_offset >= 0),
    CONSTRAINT log_position_adds_up CHECK (
        readings_received = readings_stored + readings_duplicate + readings_quarantined
    )
);
COMMENT ON TABLE log_position IS
    'The next offset of each consumer group, moved by compare-and-set in the transaction of what was derived.';
COMMENT ON COLUMN log_position.clock_us IS
    'The last clock message before next_offset, microseconds since 1970 UTC; null before the first.';
COMMENT ON CONSTRAINT log_position_adds_up ON log_position IS
    'Nothing is lost: each reading received is stored, known already, or in quarantine.';

GRANT SELECT ON installation, kind, log_position
    TO thuiswacht_ingest, thuiswacht_alerting, thuiswacht_register, thuiswacht_read;
GRANT INSERT, UPDATE ON log_position TO thuiswacht_ingest, thuiswacht_alerting;

-- From where readings come and how lately; and what it means when one such source falls silent.

-- Written by ingest, once a batch for each source in it. Rows change in place: room is left for that.
CREATE TABLE source_activity (
    cluster_id text COLLATE "C" NOT NULL,
    topic text COLLATE "C" NOT NULL,
    log_partition integer NOT NULL,
    source text COLLATE "C" NOT NULL,
    last_received_at timestamptz NOT NULL,
    CONSTRAINT source_activity_pkey PRIMARY KEY (cluster_id, topic, source, log_partition)
) WITH (fillfactor = 50);
COMMENT ON TABLE source_activity IS 'When a reading that counts last came from a source, in each partition.';

CREATE TABLE source_hour (
    cluster_id text COLLATE "C" NOT NULL,
    topic text COLLATE "C" NOT NULL,
    log_partition integer NOT NULL,
    source text COLLATE "C" NOT NULL,
    slot smallint NOT NULL,
    hour bigint NOT NULL,
    patients integer NOT NULL,
    CONSTRAINT source_hour_pkey PRIMARY KEY (cluster_id, topic, source, log_partition, slot),
    CONSTRAINT source_hour_slot_valid CHECK (slot = hour % 192)
) WITH (fillfactor = 50);
COMMENT ON TABLE source_hour IS
    'Of how many patients a source sent readings in an hour; of the last eight days, then a row is used again.';
COMMENT ON COLUMN source_hour.hour IS 'Hours since 1970 UTC, by the time of receipt.';
COMMENT ON COLUMN source_hour.patients IS 'Different ones; an hour with fewer than two has no row.';

CREATE TABLE incident (
    incident_id uuid NOT NULL,
    source text COLLATE "C" NOT NULL,
    began_at timestamptz NOT NULL,
    noticed_at timestamptz NOT NULL,
    ended_at timestamptz,
    patients integer NOT NULL,
    held_back integer NOT NULL DEFAULT 0,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT incident_pkey PRIMARY KEY (incident_id),
    CONSTRAINT incident_is_noticed_after_it_began CHECK (noticed_at >= began_at),
    CONSTRAINT incident_ends_after_it_began CHECK (ended_at >= began_at)
);
COMMENT ON TABLE incident IS 'A source from which nothing came when much was to be expected. One open for each.';
COMMENT ON COLUMN incident.began_at IS 'Its last receipt; all times but written_at are in the time of the log.';
COMMENT ON COLUMN incident.patients IS 'Of how many patients readings were to be expected in one hour of it.';
COMMENT ON COLUMN incident.held_back IS 'How many alerts it has held back, released ones too.';
CREATE UNIQUE INDEX incident_one_open_per_source ON incident (source) WHERE ended_at IS NULL;

CREATE TABLE incident_alert (
    patient_id uuid NOT NULL,
    alert_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    incident_id uuid NOT NULL,
    held_at timestamptz NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT incident_alert_pkey PRIMARY KEY (patient_id, alert_id),
    CONSTRAINT incident_alert_alert_fkey FOREIGN KEY (patient_id, alert_id) REFERENCES alert,
    CONSTRAINT incident_alert_incident_fkey FOREIGN KEY (incident_id) REFERENCES incident
);
COMMENT ON TABLE incident_alert IS 'Alerts that were ever held back by an incident: each once, then never again.';
COMMENT ON COLUMN incident_alert.held_at IS 'In the time of the log; written_at is the wall clock.';

ALTER TABLE alert DROP CONSTRAINT alert_held_back_known;
ALTER TABLE alert ADD CONSTRAINT alert_held_back_known
    CHECK (held_back IN ('pause', 'admission', 'incident'));
CREATE INDEX alert_about_silence ON alert (opened_at) WHERE signal = 'silence' AND state = 'open';
CREATE INDEX alert_held_by_incident ON alert (patient_id, alert_id) WHERE held_back = 'incident';

GRANT SELECT ON source_activity, source_hour, incident, incident_alert TO thuiswacht_alerting, thuiswacht_read;
GRANT SELECT, INSERT, UPDATE ON source_activity, source_hour TO thuiswacht_ingest;
GRANT INSERT, UPDATE ON incident TO thuiswacht_alerting;
GRANT INSERT ON incident_alert TO thuiswacht_alerting;

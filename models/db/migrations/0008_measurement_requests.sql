-- What the quality gate asks of patients, and how far the messages about it have got. Written by alerting alone.

CREATE TABLE measurement_request (
    patient_id uuid NOT NULL,
    kind text NOT NULL,
    taken_at timestamptz NOT NULL,
    request_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    origin text NOT NULL,
    log_partition integer NOT NULL,
    due_at timestamptz NOT NULL,
    reason text NOT NULL,
    status text NOT NULL,
    value double precision NOT NULL,
    former double precision NOT NULL,
    asked_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    version integer NOT NULL DEFAULT 1,
    published_version integer NOT NULL DEFAULT 0,
    CONSTRAINT measurement_request_pkey PRIMARY KEY (patient_id, kind, taken_at),
    CONSTRAINT measurement_request_origin_known CHECK (origin IN ('real', 'simulated', 'canary')),
    CONSTRAINT measurement_request_reason_known CHECK (reason IN ('jump', 'above')),
    CONSTRAINT measurement_request_status_known
        CHECK (status IN ('pending', 'suspect', 'confirmed', 'unanswered', 'withdrawn')),
    CONSTRAINT measurement_request_published CHECK (published_version BETWEEN 0 AND version)
);
COMMENT ON TABLE measurement_request IS
    'A reading that jumped implausibly and waits for a repeat, or what became of it; a function of the log.';
COMMENT ON COLUMN measurement_request.taken_at IS 'Of the reading that jumped.';
COMMENT ON COLUMN measurement_request.request_id IS 'UUIDv5 of patient, kind and taken_at: the same in every run.';
COMMENT ON COLUMN measurement_request.value IS 'What jumped, in the canonical unit of its kind; former: before it.';
COMMENT ON COLUMN measurement_request.asked_at IS 'In the time of the log, like changed_at; written_at is the wall clock.';
COMMENT ON COLUMN measurement_request.version IS 'Counts changes; each is told on the topic of requests.';
COMMENT ON COLUMN measurement_request.published_version IS 'The last one that the broker has confirmed.';
CREATE INDEX measurement_request_to_publish ON measurement_request (written_at)
    WHERE published_version < version;

GRANT SELECT ON measurement_request TO thuiswacht_alerting, thuiswacht_read;
GRANT INSERT, UPDATE ON measurement_request TO thuiswacht_alerting;

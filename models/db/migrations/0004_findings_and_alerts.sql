-- The engine's verdicts, and what people see of them. Written by alerting alone.

-- No foreign keys to patient: the two groups read the log each at its own pace, and alerting may be ahead.
CREATE TABLE finding (
    patient_id uuid NOT NULL,
    finding_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    programme text NOT NULL,
    version integer NOT NULL,
    programme_hash text NOT NULL,
    rule text NOT NULL,
    signal text NOT NULL,
    severity text NOT NULL,
    opened_at timestamptz NOT NULL,
    raised_at timestamptz,
    cleared_at timestamptz,
    retracted boolean NOT NULL DEFAULT false,
    quiet boolean NOT NULL DEFAULT false,
    opening jsonb NOT NULL,
    raised jsonb,
    log_partition integer NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT finding_pkey PRIMARY KEY (patient_id, finding_id),
    CONSTRAINT finding_severity_known CHECK (severity IN ('low', 'medium', 'high')),
    CONSTRAINT finding_clears_after_it_opens CHECK (cleared_at >= opened_at),
    CONSTRAINT finding_is_raised_after_it_opens CHECK (raised_at >= opened_at)
);
COMMENT ON TABLE finding IS 'A stretch of time in which one rule held for one patient: a function of the log.';
COMMENT ON COLUMN finding.finding_id IS 'UUIDv5 of patient, programme, rule and opened_at: the same in every run.';
COMMENT ON COLUMN finding.opening IS 'Features that opened it, with values, limits, units and windows.';
COMMENT ON COLUMN finding.raised IS 'The same for what raised its severity.';
COMMENT ON COLUMN finding.retracted IS 'Late data showed that it never held; it returns under its id if it does.';
COMMENT ON COLUMN finding.quiet IS 'Opened within the cooldown of an earlier one of the same rule.';
COMMENT ON COLUMN finding.written_at IS 'Wall clock; everything else here is in the time of the log.';
CREATE INDEX finding_of_rule ON finding (patient_id, programme, rule, opened_at);
CREATE INDEX finding_open ON finding (log_partition, patient_id) WHERE cleared_at IS NULL AND NOT retracted;

CREATE TABLE alert (
    patient_id uuid NOT NULL,
    alert_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    origin text NOT NULL,
    signal text NOT NULL,
    severity text NOT NULL,
    state text NOT NULL DEFAULT 'open',
    opened_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    cleared_at timestamptz,
    retracted boolean NOT NULL DEFAULT false,
    quiet boolean NOT NULL DEFAULT false,
    held_back text,
    owner text,
    version integer NOT NULL DEFAULT 1,
    resolved_at timestamptz,
    outcome text,
    follows uuid,
    CONSTRAINT alert_pkey PRIMARY KEY (patient_id, alert_id),
    CONSTRAINT alert_origin_known CHECK (origin IN ('real', 'simulated', 'canary')),
    CONSTRAINT alert_severity_known CHECK (severity IN ('low', 'medium', 'high')),
    CONSTRAINT alert_state_known CHECK (state IN ('open', 'acknowledged', 'resolved')),
    CONSTRAINT alert_held_back_known CHECK (held_back IN ('pause', 'admission')),
    CONSTRAINT alert_resolved_with_outcome CHECK (
        (state = 'resolved') = (resolved_at IS NOT NULL) AND (state = 'resolved') = (outcome IS NOT NULL)
    )
);
COMMENT ON TABLE alert IS 'What people see and handle: one for each patient and signal while it is not resolved.';
COMMENT ON COLUMN alert.opened_at IS 'In the time of the log; created_at is the wall clock.';
COMMENT ON COLUMN alert.cleared_at IS 'Since when no finding of it holds; a mark, not a state.';
COMMENT ON COLUMN alert.retracted IS 'No finding of it ever held; a mark, not a state.';
COMMENT ON COLUMN alert.quiet IS 'Within the cooldown: shown, not sent.';
COMMENT ON COLUMN alert.version IS 'Counts changes, for compare-and-set.';
COMMENT ON COLUMN alert.follows IS 'The earlier alert that this one goes on from.';
CREATE UNIQUE INDEX alert_one_open_per_signal ON alert (patient_id, signal) WHERE state <> 'resolved';

CREATE TABLE alert_finding (
    patient_id uuid NOT NULL,
    alert_id uuid NOT NULL,
    finding_id uuid NOT NULL,
    joined_at timestamptz NOT NULL,
    CONSTRAINT alert_finding_pkey PRIMARY KEY (patient_id, alert_id, finding_id),
    CONSTRAINT alert_finding_alert_fkey FOREIGN KEY (patient_id, alert_id) REFERENCES alert,
    CONSTRAINT alert_finding_finding_fkey FOREIGN KEY (patient_id, finding_id) REFERENCES finding
);
COMMENT ON TABLE alert_finding IS 'The findings that are the reasons of an alert.';
CREATE INDEX alert_finding_of_finding ON alert_finding (patient_id, finding_id);

CREATE TABLE alert_event (
    patient_id uuid NOT NULL,
    alert_id uuid NOT NULL,
    event_no bigint GENERATED ALWAYS AS IDENTITY,
    organisation_id uuid NOT NULL,
    happened_at timestamptz NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    event text NOT NULL,
    from_value text,
    to_value text,
    by text NOT NULL,
    why jsonb,
    CONSTRAINT alert_event_pkey PRIMARY KEY (patient_id, alert_id, event_no),
    CONSTRAINT alert_event_alert_fkey FOREIGN KEY (patient_id, alert_id) REFERENCES alert
);
COMMENT ON TABLE alert_event IS 'Each change of an alert: when, what, from, to, by whom, why. Never changed itself.';
COMMENT ON COLUMN alert_event.happened_at IS 'In the time of the log; written_at is the wall clock.';
CREATE INDEX alert_event_in_order ON alert_event (event_no);

CREATE TABLE reevaluation (
    patient_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    cluster_id text NOT NULL,
    topic text NOT NULL,
    log_partition integer NOT NULL,
    log_offset bigint NOT NULL,
    from_at timestamptz NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    done_at timestamptz,
    CONSTRAINT reevaluation_pkey PRIMARY KEY (patient_id, log_partition, log_offset)
);
COMMENT ON TABLE reevaluation IS
    'Patients to evaluate again from the readings, from from_at on, once storing has passed log_offset.';
CREATE INDEX reevaluation_due ON reevaluation (cluster_id, topic, log_partition, log_offset) WHERE done_at IS NULL;

GRANT SELECT ON finding, alert, alert_finding, alert_event, reevaluation TO thuiswacht_alerting, thuiswacht_read;
GRANT INSERT, UPDATE ON finding, alert, reevaluation TO thuiswacht_alerting;
GRANT INSERT ON alert_finding, alert_event TO thuiswacht_alerting;

-- Insight: figures for plan-do-check-act. What people see are reports that hold counts and nothing else: small numbers
-- are out of them before they are written, so that no role, query or backup finds them here.

CREATE TABLE figure_report (
    scope uuid NOT NULL,
    weeks integer NOT NULL,
    programme text COLLATE "C" NOT NULL,
    until date NOT NULL,
    report jsonb NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT figure_report_pkey PRIMARY KEY (scope, weeks, programme),
    CONSTRAINT figure_report_weeks_known CHECK (weeks IN (4, 13, 52))
);
COMMENT ON TABLE figure_report IS
    'The newest figures of each scope, period and programme; written anew by alerting, without small numbers.';
COMMENT ON COLUMN figure_report.scope IS 'The organisation whose patients are counted; all zeros: the whole region.';
COMMENT ON COLUMN figure_report.programme IS 'Empty: all programmes together.';
COMMENT ON COLUMN figure_report.until IS 'The first day, in Europe/Amsterdam, that is not counted any more.';

-- Coordinator and administrator see the region, who cares for patients those of their own organisation.
CREATE FUNCTION scope_of_insight() RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN NOT may_by_office('insight.read') THEN NULL
        WHEN declared_role() IN ('coordinator', 'administrator') OR declared_role() = 'engineer' AND is_trial()
            THEN '00000000-0000-0000-0000-000000000000'::uuid
        WHEN declared_role() <> 'engineer' THEN declared_organisation()
    END
$$;
COMMENT ON FUNCTION scope_of_insight() IS 'Whose figures the declared user sees; null: nobody''s.';

ALTER TABLE figure_report ENABLE ROW LEVEL SECURITY;
ALTER TABLE figure_report FORCE ROW LEVEL SECURITY;
CREATE POLICY figure_report_for_people ON figure_report FOR SELECT TO thuiswacht_people
    USING (scope = (SELECT scope_of_insight()));

-- Until when the last figures go, for who looks whether new ones are due.
GRANT SELECT, INSERT, UPDATE ON figure_report TO thuiswacht_alerting;
GRANT SELECT ON figure_report TO thuiswacht_people;
-- What is counted.
GRANT SELECT ON installation, registration, patient_care, treatment_relation, objection, escalation
    TO thuiswacht_alerting;
CREATE INDEX alert_opened ON alert (opened_at);
CREATE INDEX alert_resolved ON alert (resolved_at) WHERE resolved_at IS NOT NULL;
CREATE INDEX alert_event_answered ON alert_event (happened_at)
    WHERE event IN ('acknowledged', 'resolved') AND by <> 'alerting';
CREATE INDEX escalation_asked ON escalation (asked_at);

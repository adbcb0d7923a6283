-- The worklist: one row for each patient, the most severe first, read a page at a time; and how somebody likes to see it.

-- In the order of the worklist, so that its first page costs the same whether 50 alerts are open or 5,000.
CREATE INDEX alert_by_urgency ON alert ((
    CASE WHEN severity = 'high' THEN 0 WHEN signal = 'silence' THEN 1 WHEN severity = 'medium' THEN 2 ELSE 3 END
), opened_at, alert_id) WHERE state <> 'resolved';
-- How fast alerts are handled here, which says what a shift can handle.
CREATE INDEX alert_resolved_at ON alert (organisation_id, resolved_at) WHERE state = 'resolved';

-- Which alerts of a visible patient somebody is to see: views of the owner, as the fences' own, so that the fences of
-- the tables beneath are not asked once more for every alert.
CREATE VIEW patient_seen_whole AS
    SELECT t.patient_id FROM treatment_relation AS t
    WHERE (SELECT may_act() AND declared_role() <> 'huisarts')
      AND t.organisation_id = (SELECT declared_organisation())
      AND t.from_at <= statement_timestamp() AND (t.until_at IS NULL OR t.until_at > statement_timestamp())
    UNION ALL
    SELECT c.patient_id FROM consent AS c
    WHERE (SELECT may_act() AND declared_role() <> 'huisarts')
      AND c.organisation_id = (SELECT declared_organisation())
      AND c.from_at <= statement_timestamp() AND (c.until_at IS NULL OR c.until_at > statement_timestamp())
    UNION ALL
    SELECT e.patient_id FROM emergency_access AS e
    WHERE (SELECT may_act()) AND e.person_id = (SELECT declared_person())
      AND e.organisation_id = (SELECT declared_organisation())
      AND e.from_at <= statement_timestamp() AND e.until_at > statement_timestamp();
COMMENT ON VIEW patient_seen_whole IS 'Of whom the declared user sees every alert; whether at all, the fences decide.';
CREATE VIEW alert_handed_here AS
    SELECT e.patient_id, e.alert_id FROM escalation AS e
    WHERE (SELECT may_act()) AND e.to_organisation_id = (SELECT declared_organisation());
COMMENT ON VIEW alert_handed_here IS 'What was handed to the declared user''s organisation; they see it, and not the rest.';
GRANT SELECT ON patient_seen_whole, alert_handed_here TO thuiswacht_people;

CREATE TABLE worklist_view (
    view_id uuid NOT NULL,
    person_id uuid NOT NULL,
    name text NOT NULL,
    wanted jsonb NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT worklist_view_pkey PRIMARY KEY (view_id),
    CONSTRAINT worklist_view_person_fkey FOREIGN KEY (person_id) REFERENCES person,
    CONSTRAINT worklist_view_name_once UNIQUE (person_id, name)
);
COMMENT ON TABLE worklist_view IS 'Filters of the worklist that somebody keeps under a name. Nothing of patients.';
ALTER TABLE worklist_view ENABLE ROW LEVEL SECURITY;
ALTER TABLE worklist_view FORCE ROW LEVEL SECURITY;
CREATE POLICY worklist_view_own ON worklist_view TO thuiswacht_people
    USING ((SELECT may_act()) AND person_id = (SELECT declared_person()))
    WITH CHECK ((SELECT may_act()) AND person_id = (SELECT declared_person()));
GRANT SELECT, INSERT, UPDATE, DELETE ON worklist_view TO thuiswacht_people;

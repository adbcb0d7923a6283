-- Like all of patients' data, the reasons of an alert say whose they are: what decides who may see them.

-- A worker from before this migration cannot add reasons any more: its batch is rolled back and it ends; the new
-- one does that batch again.
ALTER TABLE alert_finding ADD COLUMN organisation_id uuid;
UPDATE alert_finding AS l SET organisation_id = a.organisation_id
    FROM alert AS a WHERE (a.patient_id, a.alert_id) = (l.patient_id, l.alert_id);
ALTER TABLE alert_finding ALTER COLUMN organisation_id SET NOT NULL;

-- From alert to action: who is responsible for an alert, what is promised, when somebody looks again, to whom it was
-- handed, what was sent. Written by alerting (what happens by itself), by people, and by the dispatcher.

-- Until now nobody could claim an alert; a claim is a person's.
ALTER TABLE alert NO FORCE ROW LEVEL SECURITY;
ALTER TABLE alert ALTER COLUMN owner TYPE uuid USING owner::uuid;
ALTER TABLE alert ADD COLUMN responsible_role text NOT NULL DEFAULT 'nurse';
ALTER TABLE alert ADD COLUMN responsible_organisation_id uuid;
ALTER TABLE alert ADD COLUMN acknowledged_at timestamptz;
ALTER TABLE alert ADD COLUMN resolve_by timestamptz;
ALTER TABLE alert ADD COLUMN snoozed_until timestamptz;
ALTER TABLE alert ADD COLUMN handed_to_role text;
ALTER TABLE alert ADD COLUMN handed_to_organisation_id uuid;
ALTER TABLE alert ADD COLUMN handed_to_person_id uuid;
ALTER TABLE alert ADD COLUMN hand_over_until timestamptz;
ALTER TABLE alert ADD COLUMN step_no integer NOT NULL DEFAULT 0;
ALTER TABLE alert ADD COLUMN stepped_at timestamptz;
ALTER TABLE alert ADD COLUMN policy text;
ALTER TABLE alert ADD COLUMN sent boolean NOT NULL DEFAULT false;
ALTER TABLE alert ADD COLUMN recheck_at timestamptz;
ALTER TABLE alert ADD COLUMN heard_event_no bigint NOT NULL DEFAULT 0;
ALTER TABLE alert FORCE ROW LEVEL SECURITY;
ALTER TABLE alert ADD CONSTRAINT alert_owned_while_acknowledged CHECK (
    (state = 'acknowledged') = (owner IS NOT NULL) OR state = 'resolved'
);
ALTER TABLE alert ADD CONSTRAINT alert_promised_while_acknowledged CHECK (
    (state = 'acknowledged') = (resolve_by IS NOT NULL)
    AND (state = 'acknowledged' OR (snoozed_until IS NULL AND hand_over_until IS NULL))
);
ALTER TABLE alert ADD CONSTRAINT alert_hand_over_whole CHECK (
    (hand_over_until IS NULL) = (handed_to_role IS NULL)
    AND (hand_over_until IS NULL) = (handed_to_organisation_id IS NULL)
    AND (hand_over_until IS NOT NULL OR handed_to_person_id IS NULL)
);
ALTER TABLE alert ADD CONSTRAINT alert_rechecked_when_resolved CHECK (recheck_at IS NULL OR state = 'resolved');
COMMENT ON COLUMN alert.owner IS 'The person who acknowledged; kept after resolving.';
COMMENT ON COLUMN alert.responsible_role IS
    'Who answers for it, with responsible_organisation_id (null: its own organisation): always exactly one.';
COMMENT ON COLUMN alert.resolve_by IS 'Until when the promise of the owner holds.';
COMMENT ON COLUMN alert.hand_over_until IS 'Until when somebody may accept what was offered; then it falls back.';
COMMENT ON COLUMN alert.step_no IS 'The last step of the ladder that was taken; 0: none.';
COMMENT ON COLUMN alert.policy IS 'NAME/VERSION of the policy by which that step was taken.';
COMMENT ON COLUMN alert.sent IS 'Somebody was asked or told: it never closes by itself any more.';
COMMENT ON COLUMN alert.recheck_at IS 'Resolved while a finding held: when to look whether it still does.';
COMMENT ON COLUMN alert.heard_event_no IS
    'Up to which of its events the dispatcher has told those who have to hear: owner, and who got a message.';
CREATE INDEX alert_owned ON alert (owner) WHERE state = 'acknowledged';
CREATE INDEX alert_unresolved ON alert (organisation_id, opened_at) WHERE state <> 'resolved';

-- One row is due for each alert that is not resolved, and for each that is to be rechecked: the dispatcher's alarm clock.
CREATE TABLE escalation_step (
    patient_id uuid NOT NULL,
    alert_id uuid NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    organisation_id uuid NOT NULL,
    due_at timestamptz NOT NULL,
    rank smallint NOT NULL,
    state text NOT NULL DEFAULT 'due',
    why text NOT NULL,
    outcome text,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    done_at timestamptz,
    CONSTRAINT escalation_step_pkey PRIMARY KEY (patient_id, alert_id, number),
    CONSTRAINT escalation_step_alert_fkey FOREIGN KEY (patient_id, alert_id) REFERENCES alert,
    CONSTRAINT escalation_step_state_known CHECK (state IN ('due', 'done', 'dropped')),
    CONSTRAINT escalation_step_done_once CHECK ((state = 'due') = (done_at IS NULL)),
    CONSTRAINT escalation_step_rank_known CHECK (rank BETWEEN 0 AND 2)
);
COMMENT ON TABLE escalation_step IS 'When somebody or the ladder looks at an alert next; at most one due for each.';
COMMENT ON COLUMN escalation_step.due_at IS 'In the time that the dispatcher goes by: the wall''s, in trials perhaps the log''s.';
COMMENT ON COLUMN escalation_step.rank IS 'How bad the alert is: 2 high, 1 medium, 0 low. The worst go first.';
COMMENT ON COLUMN escalation_step.why IS 'What it waits for.';
COMMENT ON COLUMN escalation_step.outcome IS 'What came of it.';
CREATE UNIQUE INDEX escalation_step_one_due ON escalation_step (patient_id, alert_id) WHERE state = 'due';
CREATE INDEX escalation_step_due ON escalation_step (rank DESC, due_at) WHERE state = 'due';
CREATE INDEX escalation_step_overdue ON escalation_step (due_at) WHERE state = 'due';

CREATE TABLE escalation (
    patient_id uuid NOT NULL,
    escalation_id uuid NOT NULL,
    alert_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    step_no integer NOT NULL,
    recipient text NOT NULL,
    request text NOT NULL,
    to_role text NOT NULL,
    to_organisation_id uuid NOT NULL,
    asked_at timestamptz NOT NULL,
    asked_by uuid,
    reason text NOT NULL,
    state text NOT NULL DEFAULT 'asked',
    question text,
    answer_by timestamptz,
    delivered_at timestamptz,
    accepted_at timestamptz,
    accepted_by uuid,
    answered_at timestamptz,
    answer text,
    referral_avoided boolean,
    over_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT escalation_pkey PRIMARY KEY (patient_id, escalation_id),
    CONSTRAINT escalation_id_key UNIQUE (escalation_id),
    CONSTRAINT escalation_alert_fkey FOREIGN KEY (patient_id, alert_id) REFERENCES alert,
    CONSTRAINT escalation_request_known CHECK (request IN ('acute', 'regular', 'complex_regional')),
    CONSTRAINT escalation_state_known CHECK (
        state IN ('asked', 'accepted', 'answered', 'handed_back', 'passed_on', 'withdrawn')
    ),
    CONSTRAINT escalation_accepted_whole CHECK ((accepted_at IS NULL) = (accepted_by IS NULL)),
    CONSTRAINT escalation_accepted_by_somebody CHECK (state <> 'accepted' OR accepted_by IS NOT NULL),
    CONSTRAINT escalation_answered_whole CHECK ((answered_at IS NULL) = (answer IS NULL)),
    CONSTRAINT escalation_over_once CHECK ((state IN ('asked', 'accepted')) = (over_at IS NULL))
);
COMMENT ON TABLE escalation IS 'An alert handed to the next responsible party; with a question, a teleconsultation.';
COMMENT ON COLUMN escalation.organisation_id IS 'Of the alert: who answers for it until a named person accepts.';
CREATE INDEX escalation_of_alert ON escalation (patient_id, alert_id);
CREATE INDEX escalation_open ON escalation (to_organisation_id, asked_at) WHERE state IN ('asked', 'accepted');
CREATE INDEX escalation_to ON escalation (to_organisation_id, patient_id);

-- The messages of each recipient are counted without a gap: who was down can show that nothing is missing.
CREATE TABLE recipient_count (
    organisation_id uuid NOT NULL,
    number bigint NOT NULL,
    CONSTRAINT recipient_count_pkey PRIMARY KEY (organisation_id)
);
COMMENT ON TABLE recipient_count IS 'The number of the last message to each organisation; its row is locked by who adds one.';

CREATE TABLE message (
    patient_id uuid NOT NULL,
    message_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    origin text NOT NULL,
    kind text NOT NULL,
    channel text NOT NULL,
    severity text NOT NULL,
    alerts uuid[] NOT NULL,
    to_id uuid,
    person_id uuid,
    escalation_id uuid,
    corrects uuid,
    body jsonb NOT NULL DEFAULT '{}',
    state text NOT NULL DEFAULT 'due',
    number bigint,
    due_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    attempted_at timestamptz,
    next_attempt_at timestamptz,
    deliver_by timestamptz,
    delivered_at timestamptz,
    seen_at timestamptz,
    accepted_at timestamptz,
    over_at timestamptz,
    why text,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT message_pkey PRIMARY KEY (patient_id, message_id),
    CONSTRAINT message_id_key UNIQUE (message_id),
    CONSTRAINT message_kind_known CHECK (kind IN ('escalation', 'question', 'correction', 'notice', 'to_patient')),
    CONSTRAINT message_state_known CHECK (
        state IN ('due', 'attempted', 'delivered', 'seen', 'accepted', 'given_up', 'withdrawn')
    ),
    CONSTRAINT message_origin_known CHECK (origin IN ('real', 'simulated', 'canary')),
    CONSTRAINT message_to_patient_or_organisation CHECK ((kind = 'to_patient') = (to_id IS NULL)),
    CONSTRAINT message_numbered_per_recipient CHECK ((to_id IS NULL) = (number IS NULL))
);
COMMENT ON TABLE message IS 'The outbox: written with the transition that it tells of, sent outside it, at least once.';
COMMENT ON COLUMN message.body IS 'Facts that the alert does not hold, never sentences: the channel writes those when it sends.';
COMMENT ON COLUMN message.number IS 'Counts the messages to an organisation without a gap.';
COMMENT ON COLUMN message.due_at IS 'In the time that the dispatcher goes by; later for what is to be grouped.';
CREATE UNIQUE INDEX message_counted ON message (to_id, number) WHERE to_id IS NOT NULL;
CREATE INDEX message_waiting ON message (coalesce(next_attempt_at, due_at)) WHERE state IN ('due', 'attempted');
CREATE INDEX message_of_escalation ON message (escalation_id) WHERE escalation_id IS NOT NULL;

-- What is wrong with the service itself, or with whom it talks to. Nothing of patients.
CREATE TABLE technical_alert (
    technical_alert_id uuid NOT NULL,
    trouble text NOT NULL,
    subject text NOT NULL,
    organisation_id uuid,
    severity text NOT NULL,
    opened_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    times integer NOT NULL DEFAULT 1,
    details text NOT NULL,
    resolved_at timestamptz,
    resolved_by uuid,
    CONSTRAINT technical_alert_pkey PRIMARY KEY (technical_alert_id),
    CONSTRAINT technical_alert_severity_known CHECK (severity IN ('low', 'medium', 'high'))
);
COMMENT ON TABLE technical_alert IS 'Trouble of the service itself: an endpoint, a step that leads to nobody, a late canary.';
COMMENT ON COLUMN technical_alert.subject IS 'What it is about: an organisation, a policy, a channel. Never a patient.';
CREATE UNIQUE INDEX technical_alert_one_open ON technical_alert (trouble, subject) WHERE resolved_at IS NULL;

-- As programme versions: what a policy or roster said under a version never changes once an alert went by it.
CREATE TABLE policy_version (
    kind text NOT NULL,
    name text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    hash text NOT NULL,
    content jsonb NOT NULL,
    used_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT policy_version_pkey PRIMARY KEY (kind, name, version),
    CONSTRAINT policy_version_kind_known CHECK (kind IN ('policy', 'roster', 'teleconsultation'))
);
COMMENT ON TABLE policy_version IS 'Policies, rosters and lists of teleconsultation as they were when first used.';

CALL fence('escalation_step');
CALL fence('escalation');
CALL fence('message');

-- Who pulls its messages sees all of them, in order and without a gap, also those of patients that are over.
CREATE POLICY message_for_recipient ON message FOR SELECT TO thuiswacht_people
    USING ((SELECT may_by_office('messages.pull')) AND to_id = (SELECT declared_organisation()));

-- Who was asked sees the patient for as long as it is not over, and a day longer, to read what was answered.
CREATE POLICY escalation_for_fences ON escalation TO thuiswacht_owner USING (true);
CREATE VIEW patient_escalated_to AS
    SELECT e.patient_id, e.to_organisation_id AS organisation_id FROM escalation AS e
    WHERE e.over_at IS NULL OR e.over_at > statement_timestamp() - interval '1 day';
COMMENT ON VIEW patient_escalated_to IS 'Whose alerts were handed to an organisation, as the ground for it to look.';

CREATE OR REPLACE FUNCTION grounds_for(patient uuid) RETURNS TABLE (ground text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 2 AS $$
    SELECT 'objection' WHERE EXISTS (
        SELECT FROM objection AS o WHERE o.patient_id = patient AND o.organisation_id = declared_organisation()
        AND o.from_at <= statement_timestamp() AND (o.until_at IS NULL OR o.until_at > statement_timestamp())
    )
    UNION ALL SELECT 'treatment' WHERE EXISTS (
        SELECT FROM treatment_relation AS t
        WHERE t.patient_id = patient AND t.organisation_id = declared_organisation()
        AND t.from_at <= statement_timestamp() AND (t.until_at IS NULL OR t.until_at > statement_timestamp())
    )
    UNION ALL SELECT 'escalated' WHERE EXISTS (
        SELECT FROM patient_escalated_to AS e
        WHERE e.patient_id = patient AND e.organisation_id = declared_organisation()
    )
    UNION ALL SELECT 'consent' WHERE EXISTS (
        SELECT FROM consent AS c WHERE c.patient_id = patient AND c.organisation_id = declared_organisation()
        AND c.from_at <= statement_timestamp() AND (c.until_at IS NULL OR c.until_at > statement_timestamp())
    )
    UNION ALL SELECT 'own_organisation' WHERE EXISTS (
        SELECT FROM registration AS r WHERE r.patient_id = patient AND r.organisation_id = declared_organisation()
    ) OR EXISTS (
        SELECT FROM treatment_relation AS t
        WHERE t.patient_id = patient AND t.organisation_id = declared_organisation()
        AND t.from_at <= statement_timestamp()
    )
    UNION ALL SELECT 'simulated' WHERE EXISTS (
        SELECT FROM registration AS r WHERE r.patient_id = patient AND r.origin = 'simulated'
    )
    UNION ALL SELECT 'emergency' WHERE EXISTS (
        SELECT FROM emergency_access AS e
        WHERE e.patient_id = patient AND e.person_id = declared_person()
        AND e.organisation_id = declared_organisation()
        AND e.from_at <= statement_timestamp() AND e.until_at > statement_timestamp()
    )
$$;

CREATE OR REPLACE VIEW visible_patient AS
    SELECT t.patient_id FROM treatment_relation AS t
    WHERE (SELECT may_on('treatment')) AND t.organisation_id = (SELECT declared_organisation())
      AND t.from_at <= statement_timestamp() AND (t.until_at IS NULL OR t.until_at > statement_timestamp())
      AND NOT EXISTS (
        SELECT FROM objection AS o WHERE (o.patient_id, o.organisation_id) = (t.patient_id, t.organisation_id)
        AND o.from_at <= statement_timestamp() AND (o.until_at IS NULL OR o.until_at > statement_timestamp())
      )
    UNION ALL
    SELECT e.patient_id FROM patient_escalated_to AS e
    WHERE (SELECT may_on('escalated')) AND e.organisation_id = (SELECT declared_organisation())
      AND NOT EXISTS (
        SELECT FROM objection AS o WHERE (o.patient_id, o.organisation_id) = (e.patient_id, e.organisation_id)
        AND o.from_at <= statement_timestamp() AND (o.until_at IS NULL OR o.until_at > statement_timestamp())
      )
    UNION ALL
    SELECT c.patient_id FROM consent AS c
    WHERE (SELECT may_on('consent')) AND c.organisation_id = (SELECT declared_organisation())
      AND c.from_at <= statement_timestamp() AND (c.until_at IS NULL OR c.until_at > statement_timestamp())
      AND NOT EXISTS (
        SELECT FROM objection AS o WHERE (o.patient_id, o.organisation_id) = (c.patient_id, c.organisation_id)
        AND o.from_at <= statement_timestamp() AND (o.until_at IS NULL OR o.until_at > statement_timestamp())
      )
    UNION ALL
    SELECT r.patient_id FROM registration AS r
    WHERE (SELECT may_on('own_organisation')) AND r.organisation_id = (SELECT declared_organisation())
    UNION ALL
    SELECT t.patient_id FROM treatment_relation AS t
    WHERE (SELECT may_on('own_organisation')) AND t.organisation_id = (SELECT declared_organisation())
      AND t.from_at <= statement_timestamp()
    UNION ALL
    SELECT r.patient_id FROM registration AS r
    WHERE (SELECT may_on('simulated')) AND r.origin = 'simulated'
    UNION ALL
    SELECT e.patient_id FROM emergency_access AS e
    WHERE (SELECT may_on('emergency')) AND e.person_id = (SELECT declared_person())
      AND e.organisation_id = (SELECT declared_organisation())
      AND e.from_at <= statement_timestamp() AND e.until_at > statement_timestamp();

ALTER TABLE message_address DROP CONSTRAINT message_address_channel_known;
UPDATE message_address SET channel = 'secure_mail' WHERE channel = 'zorgmail';
ALTER TABLE message_address ADD CONSTRAINT message_address_channel_known CHECK (
    channel IN ('email', 'secure_mail', 'fhir', 'phone', 'webhook', 'kafka', 'pull')
);
ALTER TABLE organisation DROP CONSTRAINT organisation_kind_known;
ALTER TABLE organisation ADD CONSTRAINT organisation_kind_known CHECK (kind IN (
    'hospital', 'monitoring_centre', 'gp_practice', 'out_of_hours_post', 'community_nursing', 'referral_desk',
    'municipality', 'coordination_centre', 'elderly_care'
));

-- Alerting makes alerts and sees to it that somebody looks.
GRANT SELECT, INSERT, UPDATE ON escalation_step TO thuiswacht_alerting;
GRANT SELECT, INSERT ON policy_version TO thuiswacht_alerting, thuiswacht_dispatch;
-- The dispatcher: what timers do on people's behalf, and sending.
GRANT SELECT ON installation, migration, log_position, organisation, person, person_role, message_address,
    finding, alert_finding, alert_event, reading, patient, patient_change, registration, patient_care, device_loan,
    treatment_relation, programme_version, measurement_request TO thuiswacht_dispatch;
GRANT SELECT, INSERT, UPDATE ON alert, escalation_step, escalation, message, recipient_count, technical_alert
    TO thuiswacht_dispatch;
GRANT INSERT ON alert_event, alert_finding TO thuiswacht_dispatch;
-- People.
GRANT SELECT, UPDATE ON alert TO thuiswacht_people;
GRANT INSERT ON alert_event TO thuiswacht_people;
GRANT SELECT, INSERT, UPDATE ON escalation_step, escalation, message TO thuiswacht_people;
GRANT SELECT, INSERT, UPDATE ON recipient_count TO thuiswacht_people;
GRANT SELECT, UPDATE (resolved_at, resolved_by) ON technical_alert TO thuiswacht_people;
GRANT SELECT ON policy_version, log_position TO thuiswacht_people;
GRANT SELECT ON escalation_step, escalation, message, technical_alert, policy_version, recipient_count
    TO thuiswacht_read;

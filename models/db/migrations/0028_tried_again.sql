-- What was refused can be tried again, and is told of to who may see it; what of the flow people see without patients.

-- Of whom, from whom and when a refused reading came, as far as its message says so; and whether it was tried before.
ALTER TABLE quarantine
    ADD COLUMN refused_us bigint,
    ADD COLUMN source text COLLATE "C",
    ADD COLUMN kind text COLLATE "C",
    ADD COLUMN retry_of_partition integer,
    ADD COLUMN retry_of_offset bigint,
    ADD CONSTRAINT quarantine_retry_of_whole CHECK ((retry_of_partition IS NULL) = (retry_of_offset IS NULL));
ALTER TABLE quarantine NO FORCE ROW LEVEL SECURITY;
ALTER TABLE quarantine_message NO FORCE ROW LEVEL SECURITY;
UPDATE quarantine AS q SET refused_us = extract(epoch FROM m.quarantined_at) * 1000000 FROM quarantine_message AS m
WHERE (q.cluster_id, q.topic, q.log_partition, q.log_offset)
    = (m.cluster_id, m.topic, m.log_partition, m.log_offset);
ALTER TABLE quarantine FORCE ROW LEVEL SECURITY;
ALTER TABLE quarantine_message FORCE ROW LEVEL SECURITY;
ALTER TABLE quarantine ALTER COLUMN refused_us SET DEFAULT extract(epoch FROM clock_timestamp()) * 1000000;
ALTER TABLE quarantine ALTER COLUMN refused_us SET NOT NULL;
COMMENT ON COLUMN quarantine.refused_us IS
    'By the wall clock. Microseconds, for a moment would be one of the record''s, which is kept for years from its last.';
COMMENT ON COLUMN quarantine.device_id IS 'As the message says; of rows from before this was kept only where a notice was given.';
COMMENT ON COLUMN quarantine.source IS 'As the message says; null where it does not, or was refused before this was kept.';
COMMENT ON COLUMN quarantine.kind IS 'A known kind that the refused reading names; null otherwise.';
COMMENT ON COLUMN quarantine.retried_at IS 'When somebody had its message tried again: whatever came of that stands elsewhere.';
COMMENT ON COLUMN quarantine.retry_of_offset IS 'The message that this one repeats, where it was refused once more.';
CREATE INDEX quarantine_by_time ON quarantine (refused_us);
CREATE INDEX quarantine_waiting ON quarantine (refused_us) WHERE patient_id IS NOT NULL AND retried_at IS NULL;

-- What is to be told to the log again: written with the decision, told afterwards. Only where it stands, no bytes: who
-- decides never reads them.
CREATE TABLE retry (
    patient_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    retry_id uuid NOT NULL DEFAULT gen_random_uuid(),
    cluster_id text NOT NULL,
    topic text NOT NULL,
    log_partition integer NOT NULL,
    log_offset bigint NOT NULL,
    by uuid NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    told_at timestamptz,
    CONSTRAINT retry_pkey PRIMARY KEY (retry_id),
    CONSTRAINT retry_once UNIQUE (cluster_id, topic, log_partition, log_offset),
    CONSTRAINT retry_message_fkey FOREIGN KEY (cluster_id, topic, log_partition, log_offset)
        REFERENCES quarantine_message
);
COMMENT ON TABLE retry IS 'Refused messages that go to the log once more, each once; what is refused again is a message of its own.';
CREATE INDEX retry_to_tell ON retry (asked_at) WHERE told_at IS NULL;
CREATE INDEX retry_of_patient ON retry (patient_id);
CALL fence('retry');
CREATE POLICY retry_of_what_was_refused ON retry AS RESTRICTIVE FOR INSERT TO thuiswacht_people WITH CHECK (
    declared_action() = 'quarantine.retry' AND by = declared_person() AND EXISTS (
        SELECT FROM quarantine AS q WHERE q.patient_id = retry.patient_id
        AND (q.cluster_id, q.topic, q.log_partition, q.log_offset)
          = (retry.cluster_id, retry.topic, retry.log_partition, retry.log_offset)
    )
);
CREATE POLICY quarantine_tried_again ON quarantine AS RESTRICTIVE FOR UPDATE TO thuiswacht_people
    USING (declared_action() = 'quarantine.retry');
GRANT SELECT, INSERT ON retry TO thuiswacht_people;
GRANT UPDATE (retried_at) ON quarantine TO thuiswacht_people;

-- Who tells the log reads the bytes of what is to be told, and of nothing else.
CREATE POLICY retry_told ON retry TO thuiswacht_register USING (true);
GRANT SELECT, UPDATE (told_at) ON retry TO thuiswacht_register;
CREATE POLICY quarantine_message_to_tell ON quarantine_message FOR SELECT TO thuiswacht_register USING (EXISTS (
    SELECT FROM retry AS r WHERE r.told_at IS NULL
    AND (r.cluster_id, r.topic, r.log_partition, r.log_offset)
      = (quarantine_message.cluster_id, quarantine_message.topic, quarantine_message.log_partition,
         quarantine_message.log_offset)
));
GRANT SELECT (cluster_id, topic, log_partition, log_offset, raw) ON quarantine_message TO thuiswacht_register;

-- Counts for who sees to the flow: of no patient.
CREATE POLICY quarantine_counted ON quarantine FOR SELECT TO thuiswacht_owner
    USING ((SELECT may_by_office('technical.read')));
CREATE FUNCTION refusals_counted(since_us bigint)
RETURNS TABLE (day date, reason text, source text, refused bigint, waiting bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT (to_timestamp(q.refused_us / 1000000.0) AT TIME ZONE 'Europe/Amsterdam')::date, q.reason, q.source,
        coalesce(sum(greatest(q.readings, 1)) FILTER (WHERE q.retry_of_offset IS NULL), 0)::bigint,
        coalesce(sum(greatest(q.readings, 1)) FILTER (WHERE q.retried_at IS NULL), 0)::bigint
    FROM quarantine AS q WHERE (SELECT may_by_office('technical.read')) AND q.refused_us >= since_us
    GROUP BY 1, 2, 3
$$;
COMMENT ON FUNCTION refusals_counted IS
    'Refused readings by day, reason and source, each once however often it was tried again; a message without any is one.';

-- Incidents: somebody who knows better lets the alerts through.
ALTER TABLE incident
    ADD COLUMN let_through_at timestamptz,
    ADD COLUMN let_through_by uuid,
    ADD CONSTRAINT incident_let_through_whole CHECK ((let_through_at IS NULL) = (let_through_by IS NULL));
COMMENT ON COLUMN incident.let_through_at IS 'From then on it holds nothing back, though it lasts; by the wall clock.';
CREATE POLICY incident_alert_counted ON incident_alert FOR SELECT TO thuiswacht_owner
    USING ((SELECT may_by_office('technical.read')));
CREATE POLICY alert_counted ON alert FOR SELECT TO thuiswacht_owner
    USING ((SELECT may_by_office('technical.read')));
CREATE FUNCTION incidents_counted(since timestamptz)
RETURNS TABLE (
    incident_id uuid, source text, began_at timestamptz, ended_at timestamptz, patients integer, held_back integer,
    holds bigint, held_since timestamptz, let_through_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT i.incident_id, i.source, i.began_at, i.ended_at, i.patients, i.held_back, h.holds, h.held_since,
        i.let_through_at
    FROM incident AS i CROSS JOIN LATERAL (
        SELECT count(*) AS holds, max(l.held_at) AS held_since
        FROM alert AS a JOIN incident_alert AS l ON (l.patient_id, l.alert_id) = (a.patient_id, a.alert_id)
        WHERE a.held_back = 'incident' AND l.incident_id = i.incident_id
    ) AS h
    WHERE (SELECT may_by_office('technical.read')) AND (i.ended_at IS NULL OR i.ended_at >= since OR h.holds > 0)
    ORDER BY i.ended_at IS NOT NULL, i.began_at
$$;
COMMENT ON FUNCTION incidents_counted IS 'Incidents that last, or ended lately, and how many alerts each holds back now.';
CREATE FUNCTION let_incident_through(incident uuid) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH let AS (
        UPDATE incident AS i SET let_through_at = clock_timestamp(), let_through_by = declared_person()
        WHERE i.incident_id = incident AND i.let_through_at IS NULL AND may_by_office('technical.resolve')
        RETURNING true
    )
    SELECT EXISTS (SELECT FROM let)
$$;
COMMENT ON FUNCTION let_incident_through IS 'From now on it holds nothing back; false where that was decided before.';

-- Messages that nobody took, by whom they were for: of no patient.
CREATE POLICY message_given_up_counted ON message FOR SELECT TO thuiswacht_owner
    USING ((SELECT may_by_office('technical.read')));
CREATE INDEX message_given_up ON message (over_at) WHERE state = 'given_up';
CREATE FUNCTION messages_given_up(since timestamptz)
RETURNS TABLE (to_id uuid, channel text, why text, number bigint, newest_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.to_id, m.channel, m.why, count(*), max(m.over_at) FROM message AS m
    WHERE (SELECT may_by_office('technical.read')) AND m.state = 'given_up' AND m.over_at >= since
    GROUP BY 1, 2, 3 ORDER BY 5 DESC
$$;
COMMENT ON FUNCTION messages_given_up IS 'To whom messages could not be delivered, by what, and why: how many.';
REVOKE ALL ON FUNCTION refusals_counted, incidents_counted, let_incident_through, messages_given_up FROM PUBLIC;
GRANT EXECUTE ON FUNCTION refusals_counted, incidents_counted, let_incident_through, messages_given_up
    TO thuiswacht_people;

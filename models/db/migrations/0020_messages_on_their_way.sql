-- Messages on their way: what joined one that was not sent yet, who is sending it, until when it is tried; and what a
-- recipient sees who pulls its messages.

ALTER TABLE message ADD COLUMN joined uuid[] NOT NULL DEFAULT '{}';
ALTER TABLE message ADD COLUMN give_up_at timestamptz;
ALTER TABLE message ADD COLUMN claimed_until timestamptz;
ALTER TABLE message ADD COLUMN pulled_at timestamptz;
COMMENT ON COLUMN message.joined IS 'Further escalations, of alerts that joined it before it was sent.';
COMMENT ON COLUMN message.give_up_at IS 'So long it is tried, in the time of the dispatcher.';
COMMENT ON COLUMN message.claimed_until IS
    'So long, by the wall, no other sender touches it: who claimed it may have died with it in their hands.';
COMMENT ON COLUMN message.pulled_at IS 'When its recipient first pulled it; nothing joins it from then on.';
COMMENT ON COLUMN message.next_attempt_at IS 'In the time that the dispatcher goes by.';

-- The worst go first.
DROP INDEX message_waiting;
CREATE INDEX message_waiting ON message (
    (CASE severity WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END), (coalesce(next_attempt_at, due_at))
) WHERE state IN ('due', 'attempted');
-- A later message of a patient waits for an earlier one.
CREATE INDEX message_unsent ON message (patient_id, to_id) WHERE state IN ('due', 'attempted');
CREATE INDEX message_to_give_up ON message (give_up_at) WHERE state IN ('due', 'attempted');
CREATE INDEX message_unanswered ON message (delivered_at) WHERE state IN ('delivered', 'seen') AND over_at IS NULL;

-- Who pulls its messages is a system that sees no patient otherwise, and yet gets all that was written to it, also of
-- patients that are over. It sees that through the functions below, and through nothing else.
CREATE POLICY message_for_pulling ON message TO thuiswacht_owner USING ((SELECT may_by_office('messages.pull')));
CREATE POLICY alert_for_pulling ON alert TO thuiswacht_owner USING ((SELECT may_by_office('messages.pull')));

CREATE FUNCTION pull_messages(seen_up_to bigint, at_most integer, now_is timestamptz) RETURNS SETOF message
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT may_by_office('messages.pull') THEN
        RAISE insufficient_privilege USING MESSAGE = 'Messages are pulled by systems that may do so.';
    END IF;
    -- Asking for more says that what was pulled before has arrived. Alerts first, as everybody who writes both.
    PERFORM FROM alert AS a WHERE (a.patient_id, a.alert_id) IN (
        SELECT m.patient_id, told.alert_id FROM message AS m, unnest(m.alerts) AS told (alert_id)
        WHERE m.to_id = declared_organisation() AND m.number <= seen_up_to AND m.channel = 'pull'
          AND m.state IN ('due', 'attempted') AND m.pulled_at IS NOT NULL
    ) ORDER BY a.patient_id, a.created_at, a.alert_id FOR UPDATE OF a;
    WITH arrived AS (
        UPDATE message AS m SET
            state = 'delivered', delivered_at = now_is, claimed_until = NULL, next_attempt_at = NULL,
            over_at = CASE WHEN m.kind IN ('escalation', 'question') THEN NULL ELSE now_is END
        WHERE m.to_id = declared_organisation() AND m.number <= seen_up_to AND m.channel = 'pull'
          AND m.state IN ('due', 'attempted') AND m.pulled_at IS NOT NULL
        RETURNING m.patient_id, m.escalation_id, m.joined
    )
    UPDATE escalation AS e SET delivered_at = now_is
    FROM arrived AS r
    WHERE e.patient_id = r.patient_id AND e.delivered_at IS NULL
      AND (e.escalation_id = r.escalation_id OR e.escalation_id = ANY (r.joined));
    UPDATE message AS m SET pulled_at = now_is
    WHERE m.message_id IN (
        SELECT p.message_id FROM message AS p
        WHERE p.to_id = declared_organisation() AND p.number > seen_up_to ORDER BY p.number LIMIT at_most
    ) AND m.pulled_at IS NULL;
    RETURN QUERY SELECT m.* FROM message AS m
        WHERE m.to_id = declared_organisation() AND m.number > seen_up_to ORDER BY m.number LIMIT at_most;
END
$$;
COMMENT ON FUNCTION pull_messages IS
    'The messages to the declared organisation after a number, in order; those up to it have arrived.';

CREATE FUNCTION alerts_told(told uuid[]) RETURNS SETOF alert
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT a.* FROM message AS m
    JOIN alert AS a ON a.patient_id = m.patient_id AND a.alert_id = ANY (m.alerts)
    WHERE m.message_id = ANY (told) AND m.to_id = declared_organisation() AND may_by_office('messages.pull')
$$;
COMMENT ON FUNCTION alerts_told IS 'What messages to the declared organisation speak of.';

CREATE FUNCTION escalations_told(told uuid[]) RETURNS SETOF escalation
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT e.* FROM message AS m
    JOIN escalation AS e ON e.patient_id = m.patient_id
        AND (e.escalation_id = m.escalation_id OR e.escalation_id = ANY (m.joined))
    WHERE m.message_id = ANY (told) AND m.to_id = declared_organisation() AND may_by_office('messages.pull')
$$;
COMMENT ON FUNCTION escalations_told IS 'By which escalations the messages to the declared organisation came about.';

REVOKE ALL ON FUNCTION pull_messages, alerts_told, escalations_told FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pull_messages, alerts_told, escalations_told TO thuiswacht_people;

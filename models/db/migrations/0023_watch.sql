-- The watch: the canaries, whose readings must come out as alerts every minute, and the signs of life of what is elected.

-- Whose the canaries are: nobody works there. Without a kind it is in no list of organisations.
INSERT INTO organisation (organisation_id, name, origin)
VALUES ('cd299312-fa8a-5149-a61b-a2d2703d80ba', 'Kanaries', 'canary')
ON CONFLICT ON CONSTRAINT organisation_pkey DO NOTHING;

CREATE TABLE sign_of_life (
    name text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT sign_of_life_pkey PRIMARY KEY (name)
);
COMMENT ON TABLE sign_of_life IS
    'When what one service does for all was done last: who watches sees it also where another service does it.';
COMMENT ON COLUMN sign_of_life.at IS 'By the wall clock.';
GRANT SELECT, INSERT, UPDATE ON sign_of_life TO thuiswacht_dispatch;
GRANT SELECT ON sign_of_life TO thuiswacht_read;

-- A reading, a finding, an alert and its events each minute for ever would be of no use to anybody. No service may
-- delete anything; this function does it for canaries, and for nobody else. A finding goes together with the readings
-- that it rests on, so that who evaluates the rest again finds the rest.
CREATE FUNCTION prune_canary(canary uuid, before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    until timestamptz := least(before, clock_timestamp() - interval '1 hour');
    gone bigint;
BEGIN
    PERFORM set_config('thuiswacht.destroys', canary::text, true);
    IF NOT EXISTS (SELECT FROM patient AS p WHERE p.patient_id = canary AND p.origin = 'canary') THEN
        PERFORM set_config('thuiswacht.destroys', '', true);
        RETURN 0;
    END IF;
    until := least(until, (
        SELECT min(f.opened_at) FROM finding AS f
        WHERE f.patient_id = canary AND f.cleared_at IS NULL AND NOT f.retracted
    ), (SELECT min(a.opened_at) FROM alert AS a WHERE a.patient_id = canary AND a.state <> 'resolved'));
    DELETE FROM alert_event AS e USING alert AS a
        WHERE e.patient_id = canary AND (a.patient_id, a.alert_id) = (e.patient_id, e.alert_id)
        AND a.opened_at < until;
    DELETE FROM escalation_step AS s USING alert AS a
        WHERE s.patient_id = canary AND (a.patient_id, a.alert_id) = (s.patient_id, s.alert_id)
        AND a.opened_at < until;
    DELETE FROM alert_finding AS l USING alert AS a
        WHERE l.patient_id = canary AND (a.patient_id, a.alert_id) = (l.patient_id, l.alert_id)
        AND a.opened_at < until;
    DELETE FROM alert_finding AS l USING finding AS f
        WHERE l.patient_id = canary AND (f.patient_id, f.finding_id) = (l.patient_id, l.finding_id)
        AND f.opened_at < until;
    DELETE FROM alert AS a WHERE a.patient_id = canary AND a.opened_at < until;
    DELETE FROM finding AS f WHERE f.patient_id = canary AND f.opened_at < until;
    DELETE FROM reevaluation AS r WHERE r.patient_id = canary AND r.done_at < until;
    DELETE FROM reading AS r WHERE r.patient_id = canary AND r.taken_at < until;
    GET DIAGNOSTICS gone = ROW_COUNT;
    PERFORM set_config('thuiswacht.destroys', '', true);
    RETURN gone;
END
$$;
COMMENT ON FUNCTION prune_canary(uuid, timestamptz) IS
    'Lets go of what came of a canary before a moment, at least an hour ago; how many readings went. Of others: nothing.';
REVOKE ALL ON FUNCTION prune_canary(uuid, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION prune_canary(uuid, timestamptz) TO thuiswacht_dispatch;

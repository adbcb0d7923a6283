-- What the front gate asks while it takes something in: what is stored of the same readings, and what became of a place
-- in the log. The gate has no table of patients: these functions answer about exactly what it was sent.

-- Forced row-level security hides all rows from the owner too. These policies show them to the functions below alone, which
-- say so for as long as they run: other functions of the owner see what they saw before.
CREATE FUNCTION at_the_gate() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS
$$ SELECT current_setting('thuiswacht.at_the_gate', true) = 'yes' $$;
COMMENT ON FUNCTION at_the_gate() IS 'Whether one of the functions of the front gate asks.';
CREATE POLICY reading_at_the_gate ON reading FOR SELECT TO thuiswacht_owner USING ((SELECT at_the_gate()));
CREATE POLICY patient_at_the_gate ON patient FOR SELECT TO thuiswacht_owner USING ((SELECT at_the_gate()));
CREATE POLICY quarantine_at_the_gate ON quarantine FOR SELECT TO thuiswacht_owner USING ((SELECT at_the_gate()));

CREATE FUNCTION gateway_stored(
    patients uuid[], kinds smallint[], times timestamptz[], devices text[], whose uuid[]
)
RETURNS TABLE (
    place bigint, revision integer, void boolean, value double precision, code smallint, absent text, remark text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    earliest timestamptz := min(t) FROM unnest(times) AS t;
    latest timestamptz := max(t) FROM unnest(times) AS t;
BEGIN
    PERFORM set_config('thuiswacht.at_the_gate', 'yes', true);
    RETURN QUERY
    SELECT a.place, r.revision, r.void, r.value, r.code, r.absent, r.text
    FROM unnest(patients, kinds, times, devices) WITH ORDINALITY AS a (patient_id, kind, taken_at, device_id, place)
    CROSS JOIN LATERAL (
        SELECT s.revision, s.void, s.value, s.code, s.absent, s.text FROM reading AS s
        WHERE s.patient_id = a.patient_id AND s.kind = a.kind AND s.taken_at = a.taken_at AND s.device_id = a.device_id
          -- Known when it begins, so that no month is opened that none of them is in.
          AND s.taken_at BETWEEN earliest AND latest
        LIMIT 1000
    ) AS r
    UNION ALL
    SELECT -w.place, NULL, NULL, NULL, NULL, NULL, NULL
    FROM unnest(whose) WITH ORDINALITY AS w (patient_id, place)
    WHERE NOT EXISTS (SELECT FROM patient AS p WHERE p.patient_id = w.patient_id);
    PERFORM set_config('thuiswacht.at_the_gate', '', true);
END
$$;
COMMENT ON FUNCTION gateway_stored(uuid[], smallint[], timestamptz[], text[], uuid[]) IS
    'All revisions that are stored of each of these readings; the first four arrays are of one length. Negative places are
those of the patients, of the last array, of whom the log has not told yet: readings that it holds before that are refused.';

CREATE FUNCTION gateway_fate(storing_group text, cluster text, log_topic text, part integer, at_offset bigint)
RETURNS TABLE (passed boolean, log_position integer, reason text, field text, expected text, found text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM set_config('thuiswacht.at_the_gate', 'yes', true);
    RETURN QUERY
    SELECT n.passed, q.log_position, q.reason, q.field, q.expected, q.found
    FROM (
        SELECT EXISTS (
            SELECT FROM log_position AS p
            WHERE (p.consumer_group, p.cluster_id, p.topic, p.partition) = (storing_group, cluster, log_topic, part)
              AND p.next_offset > at_offset
        ) AS passed
    ) AS n
    LEFT JOIN quarantine AS q
        ON n.passed AND (q.cluster_id, q.topic, q.log_partition, q.log_offset) = (cluster, log_topic, part, at_offset)
    ORDER BY q.log_position;
    PERFORM set_config('thuiswacht.at_the_gate', '', true);
END
$$;
COMMENT ON FUNCTION gateway_fate(text, text, text, integer, bigint) IS
    'Whether a group has passed a place in the log, and what was refused of it: one row at least.';

REVOKE ALL ON FUNCTION at_the_gate(), gateway_stored(uuid[], smallint[], timestamptz[], text[], uuid[]),
    gateway_fate(text, text, text, integer, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION at_the_gate() TO thuiswacht_owner;
GRANT EXECUTE ON FUNCTION gateway_stored(uuid[], smallint[], timestamptz[], text[], uuid[]),
    gateway_fate(text, text, text, integer, bigint) TO thuiswacht_gateway;

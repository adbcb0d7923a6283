-- Administration: how many patients each version of a programme has, which systems log in, which devices are out.
-- People see no row of these tables; who administers sees what is needed, and nothing of a patient.

CREATE FUNCTION enrolled_now() RETURNS TABLE (patient_id uuid, programme text, version integer)
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT last.patient_id, last.programme, last.version FROM (
        SELECT DISTINCT ON (c.patient_id, c.programme) c.patient_id, c.programme, c.version, c.enrolled FROM (
            SELECT r.patient_id, r.number, r.valid_from_us, NOT r.change ? 'withdraw' AS enrolled,
                coalesce(r.change -> 'enrol', r.change -> 'version', r.change -> 'withdraw') ->> 'programme' AS programme,
                (coalesce(r.change -> 'enrol', r.change -> 'version') ->> 'version')::integer AS version
            FROM register_change AS r
            WHERE r.change ?| ARRAY['enrol', 'version', 'withdraw']
              AND r.valid_from_us <= extract(epoch FROM statement_timestamp()) * 1000000
        ) AS c
        ORDER BY c.patient_id, c.programme, c.valid_from_us DESC, c.number DESC
    ) AS last
    WHERE last.enrolled AND NOT EXISTS (
        SELECT FROM register_change AS e WHERE e.patient_id = last.patient_id AND e.change ? 'end'
    )
$$;
COMMENT ON FUNCTION enrolled_now() IS
    'In which version of which programme patients are, of those whom the caller may see: the last change counts.';

CREATE POLICY register_change_counted ON register_change FOR SELECT TO thuiswacht_owner USING (true);
CREATE FUNCTION count_enrolled() RETURNS TABLE (programme text, version integer, patients bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT e.programme, e.version, count(*) FROM enrolled_now() AS e
    WHERE (SELECT may_by_office('directory.read')) GROUP BY e.programme, e.version
$$;
COMMENT ON FUNCTION count_enrolled() IS 'How many patients each version of a programme has, of all; of nobody in particular.';

CREATE FUNCTION list_systems() RETURNS TABLE (client_id text, person_id uuid, organisation_id uuid, added_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT c.client_id, c.person_id, c.organisation_id, c.added_at FROM client AS c
    WHERE c.removed_at IS NULL AND (SELECT may_by_office('people.change')) ORDER BY c.client_id
$$;
COMMENT ON FUNCTION list_systems() IS 'Systems that log in by themselves, for who administers people.';

CREATE FUNCTION add_system(new_client text, person uuid, organisation uuid, key text) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH added AS (
        INSERT INTO client (client_id, person_id, organisation_id, public_key, added_at)
        SELECT new_client, person, organisation, key, clock_timestamp()
        WHERE (SELECT may_by_office('people.change'))
        ON CONFLICT ON CONSTRAINT client_pkey DO NOTHING RETURNING 1
    )
    SELECT EXISTS (SELECT FROM added)
$$;
COMMENT ON FUNCTION add_system(text, uuid, uuid, text) IS
    'A system that may log in with this key; false where the id is taken, also by one that was removed.';

CREATE FUNCTION remove_system(wanted text) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH removed AS (
        UPDATE client AS c SET removed_at = clock_timestamp()
        WHERE c.client_id = wanted AND c.removed_at IS NULL AND (SELECT may_by_office('people.change'))
        RETURNING c.person_id
    ), ended AS (
        UPDATE session AS s SET ended_at = clock_timestamp(), ended_why = 'withdrawn' FROM removed AS r
        WHERE s.person_id = r.person_id AND s.ended_at IS NULL RETURNING 1
    )
    SELECT EXISTS (SELECT FROM removed)
$$;
COMMENT ON FUNCTION remove_system(text) IS 'From now on this system gets no token, and those that it has are worth nothing.';

CREATE POLICY device_loan_counted ON device_loan FOR SELECT TO thuiswacht_owner USING (true);
CREATE FUNCTION count_devices_out()
RETURNS TABLE (organisation_id uuid, kind text, devices bigint, lately bigint, oldest_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.organisation_id, d.kind, count(*),
        count(*) FILTER (WHERE d.handed_out_at > statement_timestamp() - interval '30 days'), min(d.handed_out_at)
    FROM device_loan AS d
    WHERE d.returned_at IS NULL AND (SELECT may_by_office('organisation.change'))
    GROUP BY d.organisation_id, d.kind
$$;
COMMENT ON FUNCTION count_devices_out() IS
    'How many devices of each kind are out, of which organisation: neither which ones, for that leads to a patient, nor with whom.';

REVOKE ALL ON FUNCTION enrolled_now(), count_enrolled(), list_systems(),
    add_system(text, uuid, uuid, text), remove_system(text), count_devices_out() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION enrolled_now(), count_enrolled(), list_systems(),
    add_system(text, uuid, uuid, text), remove_system(text), count_devices_out()
    TO thuiswacht_people;

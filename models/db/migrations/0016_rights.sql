-- The patient's rights, and what the law lets go of: tombstones, corrections on their way into the log, and the two
-- functions that delete. Nothing else in this database deletes anything about a patient, nor anything on record.

-- Everything that holds something of one patient, what refers to another table before what it refers to. Found in
-- the catalog, so that no table of a later migration is forgotten.
CREATE FUNCTION tables_of_patients() RETURNS SETOF regclass
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE held AS (
        SELECT c.oid FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND a.attname = 'patient_id' AND a.atttypid = 'uuid'::regtype AND NOT a.attisdropped
          AND c.relname <> 'destroyed'
    ), deep AS (
        SELECT oid, 0 AS depth FROM held
        UNION
        SELECT f.confrelid, deep.depth + 1 FROM deep JOIN pg_constraint AS f ON f.conrelid = deep.oid
        WHERE f.contype = 'f' AND f.confrelid <> f.conrelid AND deep.depth < 20
    )
    SELECT held.oid::regclass FROM held JOIN deep USING (oid) GROUP BY held.oid ORDER BY max(deep.depth), held.oid
$$;
COMMENT ON FUNCTION tables_of_patients() IS 'In the order in which rows can be deleted.';

-- Registrations of the same person, merged into one: the record of a person is all of them.
CREATE POLICY patient_care_doubles ON patient_care FOR SELECT TO thuiswacht_owner
    USING (merged_into = under_destruction());
CREATE FUNCTION doubles_of(patient uuid) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    found uuid[];
BEGIN
    IF NOT sees(patient) THEN
        RETURN;
    END IF;
    PERFORM set_config('thuiswacht.destroys', patient::text, true);
    SELECT array_agg(DISTINCT c.patient_id) INTO found FROM patient_care AS c WHERE c.merged_into = patient;
    PERFORM set_config('thuiswacht.destroys', '', true);
    RETURN QUERY SELECT unnest(found);
END
$$;
COMMENT ON FUNCTION doubles_of(uuid) IS 'The registrations that were merged into this one.';

CREATE FUNCTION same_person(patient uuid) RETURNS uuid[]
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    top uuid := patient;
    above uuid;
    below uuid[];
    found uuid[];
    place integer := 1;
BEGIN
    FOR step IN 1..20 LOOP
        PERFORM set_config('thuiswacht.destroys', top::text, true);
        SELECT c.merged_into INTO above FROM patient_care AS c
        WHERE c.patient_id = top ORDER BY c.version DESC LIMIT 1;
        EXIT WHEN above IS NULL;
        top := above;
    END LOOP;
    found := ARRAY[top];
    WHILE place <= cardinality(found) LOOP
        PERFORM set_config('thuiswacht.destroys', found[place]::text, true);
        SELECT array_agg(DISTINCT c.patient_id) INTO below FROM patient_care AS c
        WHERE c.merged_into = found[place] AND c.patient_id <> ALL (found);
        found := found || coalesce(below, '{}');
        place := place + 1;
    END LOOP;
    RETURN found;
END
$$;
COMMENT ON FUNCTION same_person(uuid) IS 'All registrations of whom this is one; for functions of the owner.';
REVOKE ALL ON FUNCTION same_person FROM PUBLIC;

CREATE POLICY quarantine_message_under_destruction ON quarantine_message TO thuiswacht_owner USING (EXISTS (
    SELECT FROM quarantine AS q WHERE q.patient_id = under_destruction()
    AND (q.cluster_id, q.topic, q.log_partition, q.log_offset)
      = (quarantine_message.cluster_id, quarantine_message.topic, quarantine_message.log_partition,
         quarantine_message.log_offset)
));

CREATE TABLE destroyed (
    number integer GENERATED ALWAYS AS IDENTITY,
    patient_id uuid NOT NULL,
    ground text NOT NULL,
    destroyed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    organisation_id uuid NOT NULL,
    by uuid NOT NULL,
    CONSTRAINT destroyed_pkey PRIMARY KEY (number),
    CONSTRAINT destroyed_patient_key UNIQUE (patient_id),
    CONSTRAINT destroyed_ground_known CHECK (ground IN ('request', 'retention'))
);
COMMENT ON TABLE destroyed IS
    'Whose record is gone: a random id, so that the log does not bring them back. The reason stands in the audit log.';
CALL fence('destroyed');
CREATE POLICY destroyed_written ON destroyed TO thuiswacht_owner USING (true);
CREATE POLICY destroyed_looked_up ON destroyed FOR SELECT TO thuiswacht_people
    USING ((SELECT may_by_office('audit.review')) AND organisation_id = (SELECT declared_organisation()));
GRANT SELECT ON destroyed TO thuiswacht_ingest, thuiswacht_alerting, thuiswacht_people;

CREATE FUNCTION last_change_of(patient uuid, until timestamptz) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    held regclass;
    moments text;
    found timestamptz;
    latest timestamptz;
    one uuid;
BEGIN
    IF NOT sees(patient) THEN
        RETURN NULL;
    END IF;
    FOREACH one IN ARRAY same_person(patient) LOOP
        PERFORM set_config('thuiswacht.destroys', one::text, true);
        FOR held IN SELECT * FROM tables_of_patients() LOOP
            SELECT string_agg(format('(%I)', attname), ', ') INTO moments FROM pg_attribute
            WHERE attrelid = held AND atttypid = 'timestamptz'::regtype AND NOT attisdropped;
            CONTINUE WHEN moments IS NULL;
            EXECUTE format(
                'SELECT max(at) FROM %s, LATERAL (VALUES %s) AS moment (at) WHERE patient_id = $1 AND at <= $2',
                held, moments
            ) INTO found USING one, until;
            latest := greatest(latest, found);
        END LOOP;
    END LOOP;
    PERFORM set_config('thuiswacht.destroys', '', true);
    RETURN latest;
END
$$;
COMMENT ON FUNCTION last_change_of(uuid, timestamptz) IS
    'The latest moment that the record of a person holds, up to a given one; null where the declared user sees none.';

CREATE FUNCTION record_of(patient uuid) RETURNS TABLE (held text, rows bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    part regclass;
BEGIN
    IF NOT sees(patient) THEN
        RETURN;
    END IF;
    PERFORM set_config('thuiswacht.destroys', patient::text, true);
    FOR part IN SELECT * FROM tables_of_patients() LOOP
        held := part;
        EXECUTE format('SELECT count(*) FROM %s WHERE patient_id = $1', part) INTO rows USING patient;
        RETURN NEXT;
    END LOOP;
    PERFORM set_config('thuiswacht.destroys', '', true);
END
$$;
COMMENT ON FUNCTION record_of(uuid) IS 'How many rows each table holds of a patient: what a destruction would delete.';

CREATE FUNCTION what_forbids_destruction(patient uuid, ground text, at timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF declared_action() IS DISTINCT FROM 'destruction' OR NOT sees(patient) THEN
        RETURN 'not_allowed';
    END IF;
    PERFORM set_config('thuiswacht.destroys', patient::text, true);
    IF EXISTS (SELECT FROM patient AS p WHERE p.patient_id = patient) THEN
        IF NOT EXISTS (
            SELECT FROM patient_change AS c WHERE c.patient_id = patient AND c.change ? 'end' AND NOT EXISTS (
                SELECT FROM patient_change AS l
                WHERE l.patient_id = patient AND l.change ? 'enrol' AND l.log_offset > c.log_offset
            )
        ) THEN
            RETURN 'still_followed';
        END IF;
        -- Who reads the log behind that place would take up what it says of this patient.
        IF EXISTS (
            SELECT FROM patient AS p JOIN log_position AS l
                ON (l.cluster_id, l.topic, l.partition) = (p.cluster_id, p.topic, p.log_partition)
            WHERE p.patient_id = patient AND l.updated_at > clock_timestamp() - interval '30 days'
              AND l.next_offset <= (SELECT max(c.log_offset) FROM patient_change AS c WHERE c.patient_id = patient)
        ) THEN
            RETURN 'log_not_read';
        END IF;
    END IF;
    IF ground = 'retention' AND at > clock_timestamp() AND NOT is_trial() THEN
        RETURN 'not_yet';
    END IF;
    IF ground = 'retention' AND last_change_of(patient, at) > at - interval '20 years' THEN
        RETURN 'not_yet';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION what_forbids_destruction(uuid, text, timestamptz) IS
    'Why a record may not be destroyed now; null where it may. models/retention.py says what the words mean.';

-- In one transaction: all rows, the tombstone, and the row on record that says so. Workers of the log stand still in
-- that partition meanwhile; they notice the tombstone with their next batch and forget the patient.
CREATE FUNCTION destroy_record(
    patient uuid, ground text, at timestamptz, happened_us bigint, protocol text, held_ground text, reason text
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    forbidden text;
    part regclass;
    gone bigint;
    told text[] := '{}';
    who text := declared_person();
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('thuiswacht.destroyed'));
    IF declared_action() IS DISTINCT FROM 'destruction' OR NOT sees(patient) THEN
        RETURN 'not_allowed';
    END IF;
    PERFORM set_config('thuiswacht.destroys', patient::text, true);
    PERFORM FROM log_position AS l
    WHERE NOT EXISTS (SELECT FROM patient AS p WHERE p.patient_id = patient) OR EXISTS (
        SELECT FROM patient AS p WHERE p.patient_id = patient
        AND (l.cluster_id, l.topic, l.partition) = (p.cluster_id, p.topic, p.log_partition)
    )
    ORDER BY l.consumer_group, l.partition FOR NO KEY UPDATE;
    forbidden := what_forbids_destruction(patient, ground, at);
    IF forbidden IS NOT NULL THEN
        PERFORM set_config('thuiswacht.destroys', '', true);
        RETURN forbidden;
    END IF;
    PERFORM set_config('thuiswacht.destroys', patient::text, true);
    -- The bytes of refused messages; the place in the log that they came from stays known.
    UPDATE quarantine_message SET raw = '', organisation_id = NULL;
    INSERT INTO destroyed (patient_id, ground, organisation_id, by)
        VALUES (patient, ground, declared_organisation(), declared_person());
    FOR part IN SELECT * FROM tables_of_patients() LOOP
        EXECUTE format('DELETE FROM %s WHERE patient_id = $1', part) USING patient;
        GET DIAGNOSTICS gone = ROW_COUNT;
        IF gone > 0 THEN
            told := told || format('%s %s', part, gone);
        END IF;
    END LOOP;
    PERFORM set_config('thuiswacht.destroys', '', true);
    PERFORM write_audit(
        ((SELECT sum(get_byte(convert_to(who, 'UTF8'), place)) FROM generate_series(0, length(who) - 1) AS place)
            % 16)::smallint,
        'record.destroyed', 'D', happened_us, who, declared_role(), 'patient', patient::text, protocol,
        'thuiswacht.database', declared_organisation(), ARRAY[patient], held_ground, 'allowed', NULL, reason,
        ground || ': ' || array_to_string(told, ', ')
    );
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION destroy_record IS
    'Destroys all that is held of a patient; returns why not, or null when it is done. The only way to delete it.';

REVOKE ALL ON FUNCTION doubles_of, last_change_of, record_of, what_forbids_destruction, destroy_record FROM PUBLIC;
GRANT EXECUTE ON FUNCTION doubles_of, last_change_of, record_of, what_forbids_destruction, destroy_record
    TO thuiswacht_people;
-- A copy of everything holds what was refused, too; and where the log has been read tells what may be destroyed.
GRANT SELECT ON quarantine, reevaluation, incident_alert, log_position TO thuiswacht_people;
-- By which version a finding is explained.
GRANT SELECT ON programme_version TO thuiswacht_people;

-- A reading that is corrected or taken back, on its way into the log: readings themselves are never edited.
CREATE TABLE correction (
    correction_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    message text NOT NULL,
    by uuid NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    told_at timestamptz,
    CONSTRAINT correction_pkey PRIMARY KEY (correction_id)
);
COMMENT ON TABLE correction IS 'Uploads that correct or take back readings, told to the log at least once.';
COMMENT ON COLUMN correction.message IS 'As on the wire.';
CREATE INDEX correction_to_tell ON correction (asked_at) WHERE told_at IS NULL;
CALL fence('correction');
CREATE POLICY correction_told ON correction TO thuiswacht_register USING (true);
GRANT SELECT, INSERT ON correction TO thuiswacht_people;
GRANT SELECT, UPDATE (told_at) ON correction TO thuiswacht_register;

CREATE UNIQUE INDEX objection_one_open ON objection (patient_id, organisation_id) WHERE until_at IS NULL;

-- The overview of looks, by way of a function: row-level security would ask for each row of the whole log whether the
-- user sees its patients before the index could be used.
CREATE POLICY audit_for_functions ON audit FOR SELECT TO thuiswacht_owner USING (true);
CREATE FUNCTION looks_at(patient uuid) RETURNS SETOF audit
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT * FROM audit
    WHERE patients @> ARRAY[patient] AND declared_action() IN ('looks.read', 'copy.make') AND sees(patient)
    ORDER BY happened_us, shard, number
$$;
COMMENT ON FUNCTION looks_at(uuid) IS 'All that is on record about one patient, for who sees to the patient''s rights.';
REVOKE ALL ON FUNCTION looks_at FROM PUBLIC;
GRANT EXECUTE ON FUNCTION looks_at TO thuiswacht_people;

-- What of the audit log is older than it must be kept: from the beginning of each chain on, never from its middle.
CREATE TABLE audit_base (
    shard smallint NOT NULL,
    number bigint NOT NULL,
    hash bytea NOT NULL,
    let_go_at timestamptz NOT NULL,
    CONSTRAINT audit_base_pkey PRIMARY KEY (shard)
);
COMMENT ON TABLE audit_base IS 'The last row of each chain that was let go of; a row of that chain tells of it.';
CREATE TRIGGER audit_base_stays BEFORE DELETE ON audit_base FOR EACH ROW EXECUTE FUNCTION keep_audit();
GRANT SELECT ON audit_base, person, person_role TO thuiswacht_audit;

CREATE POLICY audit_let_go ON audit FOR DELETE TO thuiswacht_owner
    USING (happened_us < nullif(current_setting('thuiswacht.audit_before_us', true), '')::bigint);

CREATE FUNCTION audit_to_let_go(at timestamptz) RETURNS TABLE (shard smallint, number bigint, hash bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT a.shard, a.number, a.hash FROM audit_head AS h CROSS JOIN LATERAL (
        SELECT coalesce(min(y.number) - 1, h.number) AS upto FROM audit AS y
        WHERE y.shard = h.shard AND y.happened_us >= extract(epoch FROM at - interval '5 years') * 1000000
    ) AS old JOIN audit AS a ON (a.shard, a.number) = (h.shard, old.upto)
    WHERE at <= clock_timestamp() OR is_trial()
    ORDER BY a.shard
$$;
COMMENT ON FUNCTION audit_to_let_go(timestamptz) IS
    'The last row of each chain up to which all are older than five years at a moment; in a live database not one to come.';

CREATE FUNCTION let_go_of_audit(
    at timestamptz, happened_us bigint, user_id text, user_role text, protocol text, organisation uuid, reason text
) RETURNS TABLE (let_go_shard smallint, rows bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    last record;
BEGIN
    PERFORM FROM audit_head AS h ORDER BY h.shard FOR UPDATE;
    PERFORM set_config(
        'thuiswacht.audit_before_us', (extract(epoch FROM at - interval '5 years') * 1000000)::bigint::text, true
    );
    FOR last IN SELECT * FROM audit_to_let_go(at) LOOP
        DELETE FROM audit AS a WHERE a.shard = last.shard AND a.number <= last.number;
        GET DIAGNOSTICS rows = ROW_COUNT;
        INSERT INTO audit_base AS b VALUES (last.shard, last.number, last.hash, at)
            ON CONFLICT ON CONSTRAINT audit_base_pkey
            DO UPDATE SET number = excluded.number, hash = excluded.hash, let_go_at = excluded.let_go_at;
        PERFORM write_audit(
            last.shard, 'audit.let_go', 'D', happened_us, user_id, user_role, 'none', '-', protocol,
            'thuiswacht.database', organisation, '{}', NULL, 'allowed', NULL, reason,
            format('shard %s up to %s, %s', last.shard, last.number, encode(last.hash, 'hex'))
        );
        let_go_shard := last.shard;
        RETURN NEXT;
    END LOOP;
    PERFORM set_config('thuiswacht.audit_before_us', '', true);
END
$$;
COMMENT ON FUNCTION let_go_of_audit IS 'Lets go of what is older than five years; the only way to delete from the audit log.';
REVOKE ALL ON FUNCTION audit_to_let_go, let_go_of_audit FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_to_let_go, let_go_of_audit TO thuiswacht_audit;

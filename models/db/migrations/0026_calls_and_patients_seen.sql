-- Telephone calls with patients, and what the patient's page looks up.

CREATE TABLE call (
    call_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    alert_id uuid,
    by uuid NOT NULL,
    happened_at timestamptz NOT NULL,
    outcome text NOT NULL,
    call_back_at timestamptz,
    note text,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT call_pkey PRIMARY KEY (patient_id, call_id),
    CONSTRAINT call_registration_fkey FOREIGN KEY (patient_id) REFERENCES registration,
    CONSTRAINT call_alert_fkey FOREIGN KEY (patient_id, alert_id) REFERENCES alert (patient_id, alert_id),
    CONSTRAINT call_outcome_known CHECK (outcome IN ('reached', 'not_reached', 'call_back')),
    CONSTRAINT call_back_says_when CHECK (outcome <> 'call_back' OR call_back_at IS NOT NULL),
    CONSTRAINT call_back_comes_later CHECK (call_back_at > happened_at)
);
COMMENT ON TABLE call IS 'Each call with a patient or somebody around them: reached or not, and when to ring again.';
COMMENT ON COLUMN call.happened_at IS 'By the clock by which alerts are handled.';
COMMENT ON COLUMN call.call_back_at IS 'When to ring again; done by the next call with the patient.';
CREATE INDEX call_of_patient ON call (patient_id, happened_at, written_at);
CREATE INDEX call_to_come_back_to ON call (call_back_at) WHERE call_back_at IS NOT NULL;
CALL fence('call');
GRANT SELECT, INSERT ON call TO thuiswacht_people;

-- What people enter goes into the log the same way as what they correct, and says there which of the two it is.
COMMENT ON TABLE correction IS
    'Uploads of people, told to the log at least once: readings corrected, taken back, or told by telephone.';
CREATE INDEX correction_of_patient ON correction (patient_id, asked_at);

-- The list of patients, newest first.
CREATE INDEX registration_by_entry ON registration (entered_at, patient_id);

-- What a patient's page looks up, by way of functions: row-level security would ask for each of a hundred thousand
-- readings whether the user sees its patient, or gather all patients first, in every month anew. Asked once here.
CREATE FUNCTION series_of(patient uuid, wanted smallint, after_at timestamptz, until_at timestamptz)
RETURNS TABLE (
    taken_s float8[], value float8[], device text[], revision integer[], too_late boolean[], upload uuid[]
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT sees(patient) THEN
        RETURN;
    END IF;
    PERFORM set_config('thuiswacht.destroys', patient::text, true);
    -- As arrays: one row of six columns is read much faster than a hundred thousand rows.
    RETURN QUERY
    WITH newest AS (
        SELECT DISTINCT ON (r.taken_at, r.device_id)
            r.taken_at, r.device_id, r.revision, r.void, r.value, r.too_late,
            CASE WHEN r.source LIKE 'thuiswacht.%' THEN r.upload_id END AS upload
        FROM reading AS r
        WHERE r.patient_id = patient AND r.kind = wanted AND r.taken_at > after_at AND r.taken_at <= until_at
        ORDER BY r.taken_at, r.device_id, r.revision DESC, r.void DESC
    )
    SELECT array_agg(date_part('epoch', n.taken_at)), array_agg(n.value), array_agg(n.device_id),
        array_agg(n.revision), array_agg(n.too_late), array_agg(n.upload)
    FROM newest AS n WHERE NOT n.void AND n.value IS NOT NULL;
    PERFORM set_config('thuiswacht.destroys', '', true);
END
$$;
COMMENT ON FUNCTION series_of IS
    'The readings of a kind that count, in order of time: the highest revision of each, unless it was taken back.';

CREATE FUNCTION entries_of(patient uuid, most integer)
RETURNS TABLE (upload uuid, message text, entered_by uuid, asked_at timestamptz, is_told boolean, is_stored boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT sees(patient) THEN
        RETURN;
    END IF;
    PERFORM set_config('thuiswacht.destroys', patient::text, true);
    RETURN QUERY
    SELECT c.correction_id, c.message, c.by, c.asked_at, c.told_at IS NOT NULL, EXISTS (
        SELECT FROM reading AS r
        WHERE r.patient_id = patient AND r.kind = k.number AND r.device_id = m.said ->> 'device_id'
          AND r.taken_at = to_timestamp(0)
            + (m.said #>> '{readings,0,taken_at_us}')::bigint * interval '1 microsecond'
          AND r.upload_id = c.correction_id
    )
    FROM correction AS c CROSS JOIN LATERAL (SELECT c.message::jsonb AS said) AS m
    LEFT JOIN kind AS k ON k.name = m.said #>> '{readings,0,kind}'
    WHERE c.patient_id = patient ORDER BY c.asked_at DESC, c.correction_id LIMIT most;
    PERFORM set_config('thuiswacht.destroys', '', true);
END
$$;
COMMENT ON FUNCTION entries_of IS 'What people entered of a patient''s readings, and whether the log gave it back.';

CREATE FUNCTION mark_of(patient uuid, since timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    found text;
    entries text;
BEGIN
    IF NOT sees(patient) THEN
        RETURN NULL;
    END IF;
    SELECT concat(count(*), ' ', count(*) FILTER (WHERE is_stored)) INTO entries FROM entries_of(patient, 1000);
    PERFORM set_config('thuiswacht.destroys', patient::text, true);
    SELECT md5(concat_ws(' ',
        (SELECT max(e.event_no) FROM alert_event AS e WHERE e.patient_id = patient),
        (SELECT r.version FROM registration AS r WHERE r.patient_id = patient),
        (SELECT count(*) FROM call AS c WHERE c.patient_id = patient),
        (SELECT count(*) FROM reading AS r WHERE r.patient_id = patient AND r.taken_at > since),
        entries,
        (SELECT max(f.written_at) FROM finding AS f WHERE f.patient_id = patient),
        (SELECT max(greatest(t.from_at, t.until_at)) FROM treatment_relation AS t WHERE t.patient_id = patient),
        (SELECT max(greatest(c.from_at, c.until_at)) FROM consent AS c WHERE c.patient_id = patient)
    )) INTO found;
    PERFORM set_config('thuiswacht.destroys', '', true);
    RETURN found;
END
$$;
COMMENT ON FUNCTION mark_of IS 'Changes with what a patient''s page shows; of readings, those that can still matter to rules.';

REVOKE ALL ON FUNCTION series_of, entries_of, mark_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION series_of, entries_of, mark_of TO thuiswacht_people;

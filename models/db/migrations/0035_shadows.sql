-- Candidate versions of programmes, run beside those in use on the same log: what they find is kept apart, no nurse sees
-- it and nobody is told. Whoever runs them can write here, and nowhere else.

CREATE TABLE shadow (
    consumer_group text COLLATE "C" NOT NULL,
    candidates jsonb NOT NULL,
    digest text NOT NULL,
    asked_from text NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT shadow_pkey PRIMARY KEY (consumer_group)
);
COMMENT ON TABLE shadow IS 'A run of candidates as a consumer group of its own; what it runs never changes.';
COMMENT ON COLUMN shadow.candidates IS 'The whole versions: each takes the place of the programme of its name.';
COMMENT ON COLUMN shadow.asked_from IS 'From where it was to read the log: earliest, now, or a moment.';

CREATE TABLE shadow_start (
    consumer_group text COLLATE "C" NOT NULL,
    cluster_id text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    from_offset bigint NOT NULL,
    valid_from_us bigint,
    built_at timestamptz,
    CONSTRAINT shadow_start_pkey PRIMARY KEY (consumer_group, cluster_id, topic, partition),
    CONSTRAINT shadow_start_shadow_fkey FOREIGN KEY (consumer_group) REFERENCES shadow
);
COMMENT ON TABLE shadow_start IS
    'Where in the log a shadow began. What is before was evaluated at once, from what was stored: its findings are the
same, but what people would have seen of them, and when, is not known.';
COMMENT ON COLUMN shadow_start.valid_from_us IS 'The clock there; null: the log''s beginning.';
COMMENT ON COLUMN shadow_start.built_at IS 'Since when what is before it is evaluated; null: not yet.';

CREATE TABLE shadow_finding (
    patient_id uuid NOT NULL,
    consumer_group text COLLATE "C" NOT NULL,
    finding_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    log_partition integer NOT NULL,
    programme text NOT NULL,
    version integer NOT NULL,
    programme_hash text NOT NULL,
    rule text NOT NULL,
    signal text NOT NULL,
    severity text NOT NULL,
    opened_at timestamptz NOT NULL,
    raised_at timestamptz,
    cleared_at timestamptz,
    retracted boolean NOT NULL DEFAULT false,
    quiet boolean NOT NULL DEFAULT false,
    unconfirmed boolean NOT NULL DEFAULT false,
    opening jsonb NOT NULL,
    raised jsonb,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT shadow_finding_pkey PRIMARY KEY (patient_id, consumer_group, finding_id),
    CONSTRAINT shadow_finding_shadow_fkey FOREIGN KEY (consumer_group) REFERENCES shadow,
    CONSTRAINT shadow_finding_severity_known CHECK (severity IN ('low', 'medium', 'high')),
    CONSTRAINT shadow_finding_clears_after_it_opens CHECK (cleared_at >= opened_at),
    CONSTRAINT shadow_finding_is_raised_after_it_opens CHECK (raised_at >= opened_at)
);
COMMENT ON TABLE shadow_finding IS 'What candidates find: as finding, but nobody acts on it. Kept until it is forgotten.';
CREATE INDEX shadow_finding_of_group ON shadow_finding (consumer_group, opened_at);

CREATE TABLE shadow_reevaluation (
    patient_id uuid NOT NULL,
    consumer_group text COLLATE "C" NOT NULL,
    organisation_id uuid NOT NULL,
    cluster_id text NOT NULL,
    topic text NOT NULL,
    log_partition integer NOT NULL,
    log_offset bigint NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    done_at timestamptz,
    CONSTRAINT shadow_reevaluation_pkey PRIMARY KEY (patient_id, consumer_group, log_partition, log_offset),
    CONSTRAINT shadow_reevaluation_shadow_fkey FOREIGN KEY (consumer_group) REFERENCES shadow
);
COMMENT ON TABLE shadow_reevaluation IS 'As reevaluation, of one shadow.';
CREATE INDEX shadow_reevaluation_due ON shadow_reevaluation (consumer_group, log_partition, log_offset)
    WHERE done_at IS NULL;

CREATE TABLE shadow_unfit (
    patient_id uuid NOT NULL,
    consumer_group text COLLATE "C" NOT NULL,
    organisation_id uuid NOT NULL,
    field text NOT NULL,
    expected text NOT NULL,
    CONSTRAINT shadow_unfit_pkey PRIMARY KEY (patient_id, consumer_group, field),
    CONSTRAINT shadow_unfit_shadow_fkey FOREIGN KEY (consumer_group) REFERENCES shadow
);
COMMENT ON TABLE shadow_unfit IS 'What was agreed with a patient, and a candidate does not have: it runs without.';

CALL fence('shadow_finding');
CALL fence('shadow_reevaluation');
CALL fence('shadow_unfit');

-- A group that reads the log already is no shadow: nothing that runs for real can be turned into one.
CREATE FUNCTION keep_shadows_apart() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM log_position AS p WHERE p.consumer_group = NEW.consumer_group
        AND NOT EXISTS (SELECT FROM shadow AS s WHERE s.consumer_group = NEW.consumer_group)
    ) THEN
        RAISE EXCEPTION 'this consumer group reads the log for something else'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER shadow_is_no_other_group BEFORE INSERT ON shadow
    FOR EACH ROW EXECUTE FUNCTION keep_shadows_apart();

-- How far each group has come: a shadow moves itself, and nobody else.
ALTER TABLE log_position ENABLE ROW LEVEL SECURITY;
CREATE POLICY log_position_for_all ON log_position USING (true) WITH CHECK (true);
CREATE POLICY log_position_begun_by_shadow ON log_position AS RESTRICTIVE FOR INSERT TO thuiswacht_shadow
    WITH CHECK (EXISTS (SELECT FROM shadow AS s WHERE s.consumer_group = log_position.consumer_group));
CREATE POLICY log_position_moved_by_shadow ON log_position AS RESTRICTIVE FOR UPDATE TO thuiswacht_shadow
    USING (EXISTS (SELECT FROM shadow AS s WHERE s.consumer_group = log_position.consumer_group));

-- It serves all patients, as alerting does, but passes only the fences that it has to.
CREATE POLICY patient_for_shadow ON patient FOR SELECT TO thuiswacht_shadow USING (true);
CREATE POLICY patient_change_for_shadow ON patient_change FOR SELECT TO thuiswacht_shadow USING (true);
CREATE POLICY reading_for_shadow ON reading FOR SELECT TO thuiswacht_shadow USING (true);
CREATE POLICY quarantine_for_shadow ON quarantine FOR SELECT TO thuiswacht_shadow USING (true);
CREATE POLICY destroyed_for_shadow ON destroyed FOR SELECT TO thuiswacht_shadow USING (true);
CREATE POLICY finding_for_shadow ON finding FOR SELECT TO thuiswacht_shadow USING (true);
CREATE POLICY shadow_finding_for_shadow ON shadow_finding TO thuiswacht_shadow USING (true);
CREATE POLICY shadow_reevaluation_for_shadow ON shadow_reevaluation TO thuiswacht_shadow USING (true);
CREATE POLICY shadow_unfit_for_shadow ON shadow_unfit TO thuiswacht_shadow USING (true);
GRANT SELECT ON installation, migration, log_position, patient, patient_change, reading, quarantine, destroyed, finding,
    shadow, shadow_start, shadow_finding, shadow_reevaluation, shadow_unfit TO thuiswacht_shadow;
GRANT INSERT, UPDATE (next_offset, clock_us, readings_received, readings_stored, readings_duplicate,
    readings_quarantined, updated_at) ON log_position TO thuiswacht_shadow;
GRANT INSERT ON shadow, shadow_start, shadow_finding, shadow_reevaluation, shadow_unfit TO thuiswacht_shadow;
GRANT UPDATE (built_at) ON shadow_start TO thuiswacht_shadow;
GRANT UPDATE ON shadow_finding TO thuiswacht_shadow;
GRANT UPDATE (done_at) ON shadow_reevaluation TO thuiswacht_shadow;
GRANT SELECT ON shadow, shadow_start, shadow_finding, shadow_reevaluation, shadow_unfit
    TO thuiswacht_people, thuiswacht_read;

-- The other thing that deletes: what was tried and nobody acted on. It is in a patient's copy while it is held, and keeps
-- no record longer.
CREATE POLICY shadow_finding_forgotten ON shadow_finding TO thuiswacht_owner
    USING (consumer_group = current_setting('thuiswacht.forgets', true));
CREATE POLICY shadow_reevaluation_forgotten ON shadow_reevaluation TO thuiswacht_owner
    USING (consumer_group = current_setting('thuiswacht.forgets', true));
CREATE POLICY shadow_unfit_forgotten ON shadow_unfit TO thuiswacht_owner
    USING (consumer_group = current_setting('thuiswacht.forgets', true));
CREATE FUNCTION forget_shadow(forgotten text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    PERFORM FROM shadow AS s WHERE s.consumer_group = forgotten FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    -- A worker that still runs stands still here, and finds its place gone.
    PERFORM FROM log_position AS p WHERE p.consumer_group = forgotten ORDER BY p.partition FOR UPDATE;
    PERFORM set_config('thuiswacht.forgets', forgotten, true);
    DELETE FROM shadow_unfit WHERE consumer_group = forgotten;
    DELETE FROM shadow_reevaluation WHERE consumer_group = forgotten;
    DELETE FROM shadow_finding WHERE consumer_group = forgotten;
    GET DIAGNOSTICS gone = ROW_COUNT;
    PERFORM set_config('thuiswacht.forgets', '', true);
    DELETE FROM shadow_start WHERE consumer_group = forgotten;
    DELETE FROM log_position WHERE consumer_group = forgotten;
    DELETE FROM shadow WHERE consumer_group = forgotten;
    RETURN gone;
END
$$;
COMMENT ON FUNCTION forget_shadow(text) IS 'Deletes all of a shadow; how many findings that were, null where there is none.';
REVOKE ALL ON FUNCTION forget_shadow(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_shadow(text) TO thuiswacht_shadow;

-- What is tried today on what is long past is no change of that record: it would keep it for twenty years more.
CREATE OR REPLACE FUNCTION last_change_of(patient uuid, until timestamptz) RETURNS timestamptz
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
            CONTINUE WHEN moments IS NULL OR held::text LIKE 'shadow\_%';
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

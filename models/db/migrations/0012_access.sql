-- Who may see whom: people and their roles, how organisations stand to patients, and the fences around every table
-- that holds something of a patient. The policy is models/access.py's; each migration writes it into access_policy.

CREATE FUNCTION is_trial() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
$$ SELECT purpose = 'trial' FROM installation $$;
COMMENT ON FUNCTION is_trial() IS 'Whether nobody in this database exists.';

ALTER TABLE organisation ADD COLUMN origin text;
ALTER TABLE organisation ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE organisation ADD CONSTRAINT organisation_origin_known CHECK (origin IN ('real', 'simulated', 'canary'));
ALTER TABLE organisation ADD CONSTRAINT organisation_kind_known CHECK (kind IN (
    'hospital', 'monitoring_centre', 'gp_practice', 'out_of_hours_post', 'community_nursing', 'referral_desk',
    'municipality'
));
COMMENT ON COLUMN organisation.origin IS 'Real, simulated or canary; null until somebody has entered it.';

CREATE TABLE person (
    person_id uuid NOT NULL,
    name text NOT NULL,
    is_system boolean NOT NULL DEFAULT false,
    entered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    left_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT person_pkey PRIMARY KEY (person_id)
);
COMMENT ON TABLE person IS 'Who works with the service: people, and the systems that act by themselves. No patients.';
COMMENT ON COLUMN person.left_at IS 'From then on nothing is allowed any more.';

CREATE TABLE person_role (
    person_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    role text NOT NULL,
    from_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    until_at timestamptz,
    CONSTRAINT person_role_pkey PRIMARY KEY (person_id, organisation_id, role),
    CONSTRAINT person_role_person_fkey FOREIGN KEY (person_id) REFERENCES person,
    CONSTRAINT person_role_organisation_fkey FOREIGN KEY (organisation_id) REFERENCES organisation,
    CONSTRAINT person_role_ends_after_it_begins CHECK (until_at >= from_at)
);
COMMENT ON TABLE person_role IS 'As what somebody may act where; given by an administrator, or by the login of the organisation.';

CREATE TABLE access_policy (
    action text NOT NULL,
    role text NOT NULL,
    ground text NOT NULL,
    CONSTRAINT access_policy_pkey PRIMARY KEY (action, role, ground)
);
COMMENT ON TABLE access_policy IS 'The policy as models/access.py has it; every migration brings this table up to date.';

-- The register's own row of a patient, there from the moment of inclusion; `patient` follows through the log.
CREATE TABLE registration (
    patient_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    origin text NOT NULL,
    version integer NOT NULL DEFAULT 1,
    entered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT registration_pkey PRIMARY KEY (patient_id),
    CONSTRAINT registration_organisation_fkey FOREIGN KEY (organisation_id) REFERENCES organisation,
    CONSTRAINT registration_origin_known CHECK (origin IN ('real', 'simulated', 'canary'))
);
COMMENT ON TABLE registration IS 'Patients as the register has them: no name, no national number.';
COMMENT ON COLUMN registration.organisation_id IS 'Who is responsible for the follow-up.';
COMMENT ON COLUMN registration.version IS 'Counts changes, for compare-and-set: two people never overwrite each other.';

CREATE FUNCTION keep_origin() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.origin IS NOT NULL AND NEW.origin IS DISTINCT FROM OLD.origin THEN
        RAISE EXCEPTION 'an origin never changes' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION keep_origin() IS 'Who is simulated stays simulated, and who is real stays real.';
CREATE TRIGGER registration_origin_stays BEFORE UPDATE ON registration
    FOR EACH ROW EXECUTE FUNCTION keep_origin();
CREATE TRIGGER organisation_origin_stays BEFORE UPDATE ON organisation
    FOR EACH ROW EXECUTE FUNCTION keep_origin();

CREATE TABLE treatment_relation (
    patient_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    from_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    until_at timestamptz,
    by uuid,
    CONSTRAINT treatment_relation_pkey PRIMARY KEY (patient_id, organisation_id, from_at),
    CONSTRAINT treatment_relation_registration_fkey FOREIGN KEY (patient_id) REFERENCES registration,
    CONSTRAINT treatment_relation_organisation_fkey FOREIGN KEY (organisation_id) REFERENCES organisation,
    CONSTRAINT treatment_relation_ends_after_it_begins CHECK (until_at >= from_at)
);
COMMENT ON TABLE treatment_relation IS 'Which organisations treat a patient, from when until when; never deleted.';
CREATE UNIQUE INDEX treatment_relation_one_open ON treatment_relation (patient_id, organisation_id)
    WHERE until_at IS NULL;
CREATE INDEX treatment_relation_of_organisation ON treatment_relation (organisation_id, patient_id);

CREATE TABLE consent (
    patient_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    from_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    until_at timestamptz,
    by uuid NOT NULL,
    CONSTRAINT consent_pkey PRIMARY KEY (patient_id, organisation_id, from_at),
    CONSTRAINT consent_registration_fkey FOREIGN KEY (patient_id) REFERENCES registration,
    CONSTRAINT consent_organisation_fkey FOREIGN KEY (organisation_id) REFERENCES organisation,
    CONSTRAINT consent_ends_after_it_begins CHECK (until_at >= from_at)
);
COMMENT ON TABLE consent IS 'Which organisations may look without treating, because the patient said so.';

CREATE TABLE objection (
    patient_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    from_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    until_at timestamptz,
    by uuid NOT NULL,
    reason text,
    CONSTRAINT objection_pkey PRIMARY KEY (patient_id, organisation_id, from_at),
    CONSTRAINT objection_registration_fkey FOREIGN KEY (patient_id) REFERENCES registration,
    CONSTRAINT objection_organisation_fkey FOREIGN KEY (organisation_id) REFERENCES organisation,
    CONSTRAINT objection_ends_after_it_begins CHECK (until_at >= from_at)
);
COMMENT ON TABLE objection IS 'Which organisations may not look, because the patient said so: before treatment and consent.';

CREATE TABLE emergency_access (
    emergency_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    person_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    from_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    until_at timestamptz NOT NULL,
    reason text NOT NULL,
    reviewed_at timestamptz,
    reviewed_by uuid,
    verdict text,
    CONSTRAINT emergency_access_pkey PRIMARY KEY (emergency_id),
    CONSTRAINT emergency_access_registration_fkey FOREIGN KEY (patient_id) REFERENCES registration,
    CONSTRAINT emergency_access_person_fkey FOREIGN KEY (person_id) REFERENCES person,
    CONSTRAINT emergency_access_is_short CHECK (until_at > from_at AND until_at <= from_at + interval '8 hours'),
    CONSTRAINT emergency_access_says_why CHECK (length(reason) >= 10),
    CONSTRAINT emergency_access_verdict_known CHECK (verdict IN ('justified', 'not_justified')),
    CONSTRAINT emergency_access_reviewed_whole CHECK (
        (reviewed_at IS NULL) = (reviewed_by IS NULL) AND (reviewed_at IS NULL) = (verdict IS NULL)
    )
);
COMMENT ON TABLE emergency_access IS 'Looks without a relation, with a reason, for hours; each is reviewed.';
CREATE INDEX emergency_access_of_patient ON emergency_access (patient_id, person_id, until_at);
CREATE INDEX emergency_access_to_review ON emergency_access (organisation_id, from_at) WHERE reviewed_at IS NULL;

-- Who is known through the log alone is registered from now on, and treated by the organisation that followed.
INSERT INTO registration (patient_id, organisation_id, origin, entered_at)
    SELECT patient_id, organisation_id, origin, registered_at FROM patient;
INSERT INTO treatment_relation (patient_id, organisation_id, from_at)
    SELECT patient_id, organisation_id, registered_at FROM patient;

-- Who acts in this transaction. Set by models/db/declared.py, gone with the transaction.
CREATE FUNCTION declared_person() RETURNS uuid LANGUAGE sql STABLE AS
$$ SELECT nullif(current_setting('thuiswacht.person', true), '')::uuid $$;
CREATE FUNCTION declared_organisation() RETURNS uuid LANGUAGE sql STABLE AS
$$ SELECT nullif(current_setting('thuiswacht.organisation', true), '')::uuid $$;
CREATE FUNCTION declared_role() RETURNS text LANGUAGE sql STABLE AS
$$ SELECT nullif(current_setting('thuiswacht.role', true), '') $$;
CREATE FUNCTION declared_action() RETURNS text LANGUAGE sql STABLE AS
$$ SELECT nullif(current_setting('thuiswacht.action', true), '') $$;

CREATE FUNCTION may_act() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM person_role AS r JOIN person AS p USING (person_id)
        WHERE r.person_id = declared_person() AND r.organisation_id = declared_organisation()
          AND r.role = declared_role() AND r.from_at <= statement_timestamp()
          AND (r.until_at IS NULL OR r.until_at > statement_timestamp())
          AND (p.left_at IS NULL OR p.left_at > statement_timestamp())
    )
$$;
COMMENT ON FUNCTION may_act() IS 'Whether the declared person has the declared role at the declared organisation, today.';

CREATE FUNCTION grounds_for(patient uuid) RETURNS TABLE (ground text)
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
COMMENT ON FUNCTION grounds_for(uuid) IS
    'How the declared user stands to a patient today: the relation that models/access.py decides on.';

CREATE FUNCTION may_on(wanted text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT may_act() AND EXISTS (
        SELECT FROM access_policy AS p
        WHERE p.action = declared_action() AND p.role = declared_role() AND p.ground = wanted
    )
$$;
COMMENT ON FUNCTION may_on(text) IS 'Whether the declared user may do the declared action on this ground, where it holds.';

-- A view rather than a function for each row: the grounds are asked for once in a statement, and the planner chooses
-- between looking one patient up and gathering all.
CREATE VIEW visible_patient AS
    SELECT t.patient_id FROM treatment_relation AS t
    WHERE (SELECT may_on('treatment')) AND t.organisation_id = (SELECT declared_organisation())
      AND t.from_at <= statement_timestamp() AND (t.until_at IS NULL OR t.until_at > statement_timestamp())
      AND NOT EXISTS (
        SELECT FROM objection AS o WHERE (o.patient_id, o.organisation_id) = (t.patient_id, t.organisation_id)
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
COMMENT ON VIEW visible_patient IS
    'The second fence: the patients with whom the declared user may do the declared action, on any ground.';

CREATE FUNCTION sees(patient uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
$$ SELECT EXISTS (SELECT FROM visible_patient AS v WHERE v.patient_id = patient) $$;
COMMENT ON FUNCTION sees(uuid) IS 'The decision of models/access.py on one patient, taken by the database.';

CREATE FUNCTION may_by_office(wanted text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT declared_action() = wanted AND may_act() AND EXISTS (
        SELECT FROM access_policy AS p
        WHERE p.action = wanted AND p.role = declared_role() AND p.ground = 'office'
    )
$$;
COMMENT ON FUNCTION may_by_office(text) IS 'Whether the declared user may do this action by the role alone, and is doing it.';

CREATE FUNCTION under_destruction() RETURNS uuid LANGUAGE sql STABLE AS
$$ SELECT nullif(current_setting('thuiswacht.destroys', true), '')::uuid $$;
COMMENT ON FUNCTION under_destruction() IS 'Set within destroy_record and its kind alone, for the owner''s policies.';

CREATE PROCEDURE fence(fenced regclass) LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    name text := relname FROM pg_class WHERE oid = fenced;
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', fenced);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', fenced);
    EXECUTE format(
        'CREATE POLICY %1$I ON %2$s TO thuiswacht_people
            USING (EXISTS (SELECT FROM visible_patient AS v WHERE v.patient_id = %2$s.patient_id))
            WITH CHECK (EXISTS (SELECT FROM visible_patient AS v WHERE v.patient_id = %2$s.patient_id))',
        name || '_for_people', fenced
    );
    -- Tools without a user, such as the demo's table, look at patients who do not exist, and at nobody else.
    EXECUTE format(
        'CREATE POLICY %I ON %s FOR SELECT TO thuiswacht_read USING ((SELECT is_trial()))',
        name || '_in_trials', fenced
    );
    -- The owner sees exactly the patient whose record is being destroyed. No sub-select here: the fences look at some
    -- of these tables, and Postgres would take that for recursion.
    EXECUTE format(
        'CREATE POLICY %I ON %s TO thuiswacht_owner USING (patient_id = under_destruction())',
        name || '_under_destruction', fenced
    );
END
$$;
COMMENT ON PROCEDURE fence(regclass) IS
    'Row-level security, forced, for a table with a patient_id: rows are there only for a declared user who may see
that patient. For the migrations of new tables.';
REVOKE ALL ON PROCEDURE fence(regclass) FROM PUBLIC;

CALL fence('patient');
CALL fence('patient_change');
CALL fence('reading');
CALL fence('quarantine');
CALL fence('finding');
CALL fence('alert');
CALL fence('alert_finding');
CALL fence('alert_event');
CALL fence('reevaluation');
CALL fence('measurement_request');
CALL fence('incident_alert');
CALL fence('registration');
CALL fence('treatment_relation');
CALL fence('consent');
CALL fence('objection');
CALL fence('emergency_access');

-- The raw bytes of a message may be of anybody: only for tools, and only where nobody exists.
ALTER TABLE quarantine_message ENABLE ROW LEVEL SECURITY;
ALTER TABLE quarantine_message FORCE ROW LEVEL SECURITY;
CREATE POLICY quarantine_message_in_trials ON quarantine_message FOR SELECT TO thuiswacht_read
    USING ((SELECT is_trial()));

-- What the fences themselves look at, they look at as the owner. Forced means: the owner sees no other table.
CREATE POLICY registration_for_fences ON registration TO thuiswacht_owner USING (true);
CREATE POLICY treatment_relation_for_fences ON treatment_relation TO thuiswacht_owner USING (true);
CREATE POLICY consent_for_fences ON consent FOR SELECT TO thuiswacht_owner USING (true);
CREATE POLICY objection_for_fences ON objection FOR SELECT TO thuiswacht_owner USING (true);
CREATE POLICY emergency_access_for_fences ON emergency_access FOR SELECT TO thuiswacht_owner USING (true);

-- Including somebody: nobody treats them yet. The first relation is that of the organisation that includes.
CREATE POLICY registration_included ON registration FOR INSERT TO thuiswacht_people WITH CHECK (
    may_by_office('patient.include') AND organisation_id = declared_organisation() AND version = 1
    AND (declared_role() <> 'engineer' OR origin = 'simulated')
);
CREATE FUNCTION is_included_here(patient uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT may_by_office('patient.include') AND EXISTS (
        SELECT FROM registration AS r WHERE r.patient_id = patient
        AND r.organisation_id = declared_organisation() AND r.entered_at >= transaction_timestamp()
    )
$$;
COMMENT ON FUNCTION is_included_here(uuid) IS 'Whether this transaction is the one that includes this patient.';
CREATE POLICY treatment_relation_included ON treatment_relation FOR INSERT TO thuiswacht_people
    WITH CHECK (is_included_here(patient_id));
-- An emergency is declared for a patient whom one does not see, for oneself, at once.
CREATE POLICY emergency_access_declared ON emergency_access FOR INSERT TO thuiswacht_people WITH CHECK (
    may_by_office('emergency.declare') AND person_id = declared_person()
    AND organisation_id = declared_organisation() AND reviewed_at IS NULL
);
CREATE POLICY emergency_access_reviewed ON emergency_access FOR ALL TO thuiswacht_people
    USING (may_by_office('audit.review') AND organisation_id = declared_organisation())
    WITH CHECK (may_by_office('audit.review') AND reviewed_by = declared_person());

-- Partitions are fenced like the table that they belong to; nobody has rights on them but the owner.
CREATE OR REPLACE FUNCTION ensure_reading_partitions(months date[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    month date;
    name text;
    made integer := 0;
BEGIN
    IF array_length(months, 1) > 1200 OR EXISTS (
        SELECT FROM unnest(months) AS m WHERE m IS NULL OR m < '1970-01-01' OR m >= '2101-01-01'
    ) THEN
        RAISE EXCEPTION 'months must lie in 1970…2100' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR month IN SELECT DISTINCT date_trunc('month', m)::date FROM unnest(months) AS m ORDER BY 1 LOOP
        name := to_char(month, '"reading_"YYYY"_"MM');
        CONTINUE WHEN to_regclass('public.' || name) IS NOT NULL;
        -- One at a time; who waited here finds the table made.
        PERFORM pg_advisory_xact_lock(hashtext('thuiswacht.reading_partitions'));
        -- In the table itself: the look above may have left its answer in the cache of names.
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_class AS c WHERE c.relname = name AND c.relnamespace = 'public'::regnamespace
        );
        -- Made apart and then attached: PARTITION OF would lock out everybody who reads or writes readings.
        EXECUTE format('CREATE TABLE public.%I (LIKE public.reading INCLUDING ALL)', name);
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'ALTER TABLE public.reading ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
            name,
            to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00',
            to_char(month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00'
        );
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;
DO $$
DECLARE
    part regclass;
BEGIN
    FOR part IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'reading'::regclass LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', part);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', part);
    END LOOP;
END
$$;

GRANT SELECT ON installation, kind, migration, organisation, person, person_role, access_policy,
    patient, patient_change, reading, finding, alert, alert_finding, alert_event, measurement_request,
    registration, treatment_relation, consent, objection, emergency_access
    TO thuiswacht_people;
GRANT SELECT ON visible_patient TO thuiswacht_people;
GRANT INSERT, UPDATE ON organisation, person, person_role TO thuiswacht_people;
GRANT INSERT, UPDATE ON registration TO thuiswacht_people;
GRANT INSERT, UPDATE (until_at) ON treatment_relation, consent, objection TO thuiswacht_people;
GRANT INSERT, UPDATE (reviewed_at, reviewed_by, verdict) ON emergency_access TO thuiswacht_people;
GRANT SELECT ON installation, migration TO thuiswacht_login, thuiswacht_audit;
GRANT SELECT ON registration, treatment_relation, organisation, access_policy TO thuiswacht_read;

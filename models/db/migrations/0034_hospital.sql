-- What hospital systems tell of encounters, episodes and patients, as it stands by what was told last; and what of it
-- is proposed to people instead of done.

CREATE TABLE hospital_word (
    patient_id uuid NOT NULL,
    word_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    told_by uuid NOT NULL,
    by uuid NOT NULL,
    about text NOT NULL,
    keys uuid[] NOT NULL,
    said text NOT NULL,
    last_updated_at timestamptz,
    held_from_at timestamptz,
    ended_at timestamptz,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT hospital_word_pkey PRIMARY KEY (patient_id, word_id),
    CONSTRAINT hospital_word_registration_fkey FOREIGN KEY (patient_id) REFERENCES registration,
    CONSTRAINT hospital_word_told_by_fkey FOREIGN KEY (told_by) REFERENCES organisation,
    CONSTRAINT hospital_word_about_known CHECK (about IN ('stay', 'episode', 'person')),
    CONSTRAINT hospital_word_said_known CHECK (said IN (
        'planned', 'in_hospital', 'away', 'active', 'over', 'taken_back', 'died', 'alive'
    )),
    CONSTRAINT hospital_word_is_known_again CHECK (cardinality(keys) > 0)
);
COMMENT ON TABLE hospital_word IS
    'How an encounter, an episode or a patient stands by what a hospital''s system told last: what was told again, late or
in another order is known by it.';
COMMENT ON COLUMN hospital_word.told_by IS 'The organisation whose system told it; by: the system.';
COMMENT ON COLUMN hospital_word.keys IS 'Digests of its identifiers, at that organisation.';
COMMENT ON COLUMN hospital_word.last_updated_at IS 'When the sender last changed it, by its own clock.';
COMMENT ON COLUMN hospital_word.held_from_at IS 'From when the admission holds that it came to.';
CREATE INDEX hospital_word_by_key ON hospital_word USING gin (keys);
CREATE INDEX hospital_word_in_hospital ON hospital_word (held_from_at) WHERE said = 'in_hospital';

CREATE TABLE proposal (
    patient_id uuid NOT NULL,
    proposal_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    kind text NOT NULL,
    subject uuid NOT NULL,
    programme text,
    merge_into uuid,
    happened_at timestamptz,
    told_by uuid NOT NULL,
    by uuid NOT NULL,
    proposed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    state text NOT NULL DEFAULT 'open',
    decided_at timestamptz,
    decided_by uuid,
    reason text,
    CONSTRAINT proposal_pkey PRIMARY KEY (patient_id, proposal_id),
    CONSTRAINT proposal_made_once UNIQUE (patient_id, kind, subject),
    CONSTRAINT proposal_registration_fkey FOREIGN KEY (patient_id) REFERENCES registration,
    CONSTRAINT proposal_told_by_fkey FOREIGN KEY (told_by) REFERENCES organisation,
    CONSTRAINT proposal_kind_known CHECK (kind IN ('enrol', 'withdraw', 'end', 'alive', 'merge')),
    CONSTRAINT proposal_state_known CHECK (state IN ('open', 'accepted', 'declined', 'void')),
    CONSTRAINT proposal_names_programme CHECK ((kind IN ('enrol', 'withdraw')) = (programme IS NOT NULL)),
    CONSTRAINT proposal_names_who_stays CHECK ((kind = 'merge') = (merge_into IS NOT NULL)),
    CONSTRAINT proposal_decided_whole CHECK ((state = 'open') = (decided_at IS NULL)),
    CONSTRAINT proposal_declined_says_why CHECK (state <> 'declined' OR reason IS NOT NULL)
);
COMMENT ON TABLE proposal IS
    'What follows from a hospital''s word, and is for people to decide: of one word, or one other patient, once.';
COMMENT ON COLUMN proposal.subject IS 'The word that it follows from; of a merge the other registration.';
COMMENT ON COLUMN proposal.merge_into IS 'The registration that stays. No foreign key: its record may be destroyed.';
COMMENT ON COLUMN proposal.happened_at IS 'The discharge, or the death.';
CREATE INDEX proposal_open ON proposal (proposed_at, patient_id) WHERE state = 'open';

CALL fence('hospital_word');
CALL fence('proposal');
GRANT SELECT, INSERT, UPDATE (by, keys, said, last_updated_at, held_from_at, ended_at, written_at) ON hospital_word
    TO thuiswacht_people;
GRANT SELECT, INSERT, UPDATE (state, decided_at, decided_by, reason) ON proposal TO thuiswacht_people;

-- The patient's page shows proposals too.
CREATE OR REPLACE FUNCTION mark_of(patient uuid, since timestamptz) RETURNS text
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
        (SELECT max(greatest(c.from_at, c.until_at)) FROM consent AS c WHERE c.patient_id = patient),
        (SELECT max(greatest(p.proposed_at, p.decided_at)) FROM proposal AS p WHERE p.patient_id = patient)
    )) INTO found;
    PERFORM set_config('thuiswacht.destroys', '', true);
    RETURN found;
END
$$;

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
CREATE INDEX call_of_patient ON call (patient_id, happened_at);
CREATE INDEX call_to_come_back_to ON call (call_back_at) WHERE call_back_at IS NOT NULL;
CALL fence('call');
GRANT SELECT, INSERT ON call TO thuiswacht_people;

-- What people enter goes into the log the same way as what they correct, and says there which of the two it is.
COMMENT ON TABLE correction IS
    'Uploads of people, told to the log at least once: readings corrected, taken back, or told by telephone.';
CREATE INDEX correction_of_patient ON correction (patient_id, asked_at);

-- The list of patients, newest first.
CREATE INDEX registration_by_entry ON registration (entered_at, patient_id);

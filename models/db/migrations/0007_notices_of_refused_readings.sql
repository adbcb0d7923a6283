-- What the rules on devices heard of a refused reading, so that a restart hears it again at the same place.

ALTER TABLE quarantine
    ADD COLUMN device_id text COLLATE "C",
    ADD COLUMN notice_at timestamptz,
    ADD COLUMN notice_code smallint,
    ADD CONSTRAINT quarantine_notice_whole
        CHECK (num_nonnulls(device_id, notice_at, notice_code, patient_id) = 4 OR notice_code IS NULL);
COMMENT ON COLUMN quarantine.device_id IS 'Of a refused reading that gave a notice; null otherwise.';
COMMENT ON COLUMN quarantine.notice_at IS 'When it was taken; where its clock was wrong, when it was received.';
COMMENT ON COLUMN quarantine.notice_code IS 'A code of device_state; null where the rules heard nothing.';
CREATE INDEX quarantine_notice ON quarantine (patient_id) WHERE notice_code IS NOT NULL;

GRANT SELECT (patient_id, log_partition, log_offset, log_position, device_id, notice_at, notice_code)
    ON quarantine TO thuiswacht_alerting;

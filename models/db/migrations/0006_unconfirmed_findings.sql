-- Findings that opened or rose on a measurement that waits for a repeat, and the alerts that say so.

ALTER TABLE finding ADD COLUMN unconfirmed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN finding.unconfirmed IS 'A measurement that it may rest on waits for a repeat.';

ALTER TABLE alert ADD COLUMN unconfirmed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN alert.unconfirmed IS 'A finding of it is unconfirmed; a mark, not a state.';

-- The auditor looks every half minute whether an alert was forgotten: also those that are to be rechecked.
CREATE INDEX alert_to_recheck ON alert (recheck_at) WHERE recheck_at IS NOT NULL;

-- Letters: who is asked must know whom it is about. The dispatcher has no other way to what is sealed, and opens
-- it only where it was given the key; each look is on record, in the transaction that looks.

CREATE FUNCTION identity_for_letter(escalation uuid) RETURNS TABLE (
    patient_id uuid, to_organisation_id uuid, sealed bytea, key_id text
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 1 AS $$
    SELECT i.patient_id, e.to_organisation_id, i.sealed, i.key_id FROM escalation AS e JOIN patient_identity AS i USING (patient_id)
    WHERE e.escalation_id = escalation
      AND (e.over_at IS NULL OR e.over_at > statement_timestamp() - interval '1 day')
$$;
COMMENT ON FUNCTION identity_for_letter(uuid) IS
    'What is sealed of one patient, for the letter of one escalation: while it is open and, for a correction, a day
longer; as long as who was asked may look (patient_escalated_to).';
REVOKE ALL ON FUNCTION identity_for_letter FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity_for_letter, write_audit TO thuiswacht_dispatch;

-- Readings as people see them, for the chart: without what was suspect, with the notices of refused ones.
GRANT SELECT ON kind TO thuiswacht_dispatch;
GRANT SELECT (patient_id, notice_at, notice_code) ON quarantine TO thuiswacht_dispatch;

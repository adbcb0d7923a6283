-- The console hears of changes, and shows whether it can be believed.

-- Only a number, of no patient: by it a browser that was cut off says up to where it has heard.
CREATE FUNCTION newest_alert_event() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
$$ SELECT coalesce((SELECT last_value FROM pg_sequences WHERE schemaname = 'public'
    AND sequencename = 'alert_event_event_no_seq'), 0) $$;
COMMENT ON FUNCTION newest_alert_event() IS 'The number of the newest event of any alert, also while it is being written.';
REVOKE ALL ON FUNCTION newest_alert_event() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION newest_alert_event() TO thuiswacht_people;
GRANT SELECT ON sign_of_life TO thuiswacht_people;

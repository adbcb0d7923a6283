-- The roles of Thuiswacht. Run at every migration, before all else, as whoever migrates: roles belong to the
-- whole cluster, so they may be there already, or appear at this moment through another database's migration.
-- Nobody logs in as these: a deployment gives its users membership (GRANT thuiswacht_ingest TO …).

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY[
        'thuiswacht_owner', 'thuiswacht_ingest', 'thuiswacht_alerting', 'thuiswacht_register', 'thuiswacht_read'
    ] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;  -- made by another migration at the same moment
            END;
        END IF;
    END LOOP;
    -- Everything is created as the owner, so who migrates must be able to become the owner.
    IF NOT pg_has_role(current_user, 'thuiswacht_owner', 'SET') THEN
        EXECUTE format('GRANT thuiswacht_owner TO %I WITH SET TRUE, INHERIT FALSE', current_user);
    END IF;
    -- Only when needed: a GRANT writes the catalog of the database, over which two migrations would stumble.
    IF NOT has_schema_privilege('thuiswacht_owner', 'public', 'CREATE') THEN
        GRANT USAGE, CREATE ON SCHEMA public TO thuiswacht_owner;
        GRANT USAGE ON SCHEMA public
            TO thuiswacht_ingest, thuiswacht_alerting, thuiswacht_register, thuiswacht_read;
    END IF;
    -- Late and repeated readings pass through a temporary table.
    IF NOT has_database_privilege('thuiswacht_ingest', current_database(), 'TEMPORARY') THEN
        EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO thuiswacht_ingest', current_database());
    END IF;
END
$$;

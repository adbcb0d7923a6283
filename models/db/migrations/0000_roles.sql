-- The roles of Thuiswacht. Run at every migration, before all else, as whoever migrates: roles belong to the
-- whole cluster, so they may be there already, or appear at this moment through another database's migration.
-- Nobody logs in as these: a deployment gives its users membership (GRANT thuiswacht_ingest TO …).

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY[
        'thuiswacht_owner', 'thuiswacht_ingest', 'thuiswacht_alerting', 'thuiswacht_register', 'thuiswacht_read',
        'thuiswacht_people', 'thuiswacht_login', 'thuiswacht_audit', 'thuiswacht_dispatch', 'thuiswacht_gateway',
        'thuiswacht_shadow'
    ] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;  -- made by another migration at the same moment
            END;
        END IF;
    END LOOP;
    -- The workers serve all patients and no person acts as them. COPY, by which ingest stores, works on fenced
    -- tables only for who passes the fences. Only when needed, and then the one who migrates must be allowed to.
    FOREACH wanted IN ARRAY ARRAY['thuiswacht_ingest', 'thuiswacht_alerting', 'thuiswacht_dispatch'] LOOP
        IF NOT (SELECT rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('ALTER ROLE %I BYPASSRLS', wanted);
            EXCEPTION WHEN OTHERS THEN
                -- Another migration did the same at this moment, or we may not: the second look tells.
                IF NOT (SELECT rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
                    RAISE;
                END IF;
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
    END IF;
    FOREACH wanted IN ARRAY ARRAY[
        'thuiswacht_ingest', 'thuiswacht_alerting', 'thuiswacht_register', 'thuiswacht_read', 'thuiswacht_people',
        'thuiswacht_login', 'thuiswacht_audit', 'thuiswacht_dispatch', 'thuiswacht_gateway', 'thuiswacht_shadow'
    ] LOOP
        IF NOT has_schema_privilege(wanted, 'public', 'USAGE') THEN
            EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', wanted);
        END IF;
    END LOOP;
    -- Late and repeated readings pass through a temporary table.
    IF NOT has_database_privilege('thuiswacht_ingest', current_database(), 'TEMPORARY') THEN
        EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO thuiswacht_ingest', current_database());
    END IF;
END
$$;

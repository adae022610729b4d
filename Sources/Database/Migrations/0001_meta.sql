-- The ground that every later migration stands on: the role that sees all tenants, and row-level security in one call.
--
-- The role that runs the migrations (the connecting role; "lastmile" in the private cluster) owns all objects and is subject to
-- row-level security like any other. lastmile_system cannot log in; the daemon's own work becomes it for one transaction
-- (SET LOCAL ROLE). Policies name only lastmile_system, never the owner, so the owner may have any name. The owner must be able
-- to SET ROLE lastmile_system but must not inherit it: policies count inherited roles.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'lastmile_system') THEN
        BEGIN
            CREATE ROLE lastmile_system NOLOGIN;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;  -- another database of this cluster was faster
            WHEN insufficient_privilege THEN
                RAISE insufficient_privilege USING
                    MESSAGE = 'the role lastmile_system does not exist and this role may not create it',
                    HINT = 'run as a superuser: CREATE ROLE lastmile_system NOLOGIN; ALTER ROLE ' || quote_ident(current_user)
                        || ' NOINHERIT; GRANT lastmile_system TO ' || quote_ident(current_user);
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'lastmile_system', CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)
    THEN
        BEGIN
            EXECUTE format('GRANT lastmile_system TO %I', current_user)
                || CASE WHEN current_setting('server_version_num')::int >= 160000 THEN ' WITH INHERIT FALSE, SET TRUE' ELSE '' END;
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE insufficient_privilege USING
                    MESSAGE = format('the role %I may not become lastmile_system', current_user),
                    HINT = format('run as a superuser: ALTER ROLE %1$I NOINHERIT; GRANT lastmile_system TO %1$I', current_user);
        END;
    END IF;
    IF pg_has_role(current_user, 'lastmile_system', 'USAGE') THEN
        RAISE insufficient_privilege USING
            MESSAGE = format('the role %I inherits lastmile_system and so would see every tenant', current_user),
            HINT = format('run as a superuser: ALTER ROLE %1$I NOINHERIT (PostgreSQL 15), or GRANT lastmile_system TO %1$I WITH INHERIT FALSE, SET TRUE', current_user);
    END IF;
END
$$;

-- What later migrations create, lastmile_system may use. Row-level security does not cover TRUNCATE, so nobody gets that.
GRANT USAGE ON SCHEMA lastmile TO lastmile_system;
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO lastmile_system;
ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO lastmile_system;
ALTER DEFAULT PRIVILEGES GRANT USAGE, SELECT ON SEQUENCES TO lastmile_system;
ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO lastmile_system;

CREATE FUNCTION lastmile.tenant_missing() RETURNS bigint LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'LM001',
        MESSAGE = 'no tenant is set for this transaction',
        HINT = 'open the transaction with a tenant, or as the system';
END
$$;

-- The tenant of this transaction; an error when there is none. Plain SQL, so that the planner inlines it: one comparison a row.
CREATE FUNCTION lastmile.current_tenant() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(nullif(pg_catalog.current_setting('lastmile.tenant', true), '')::bigint, lastmile.tenant_missing())
$$;

-- Keeps the tenants of a table apart, its owner included. The table has a column tenant_id. Safe to call again.
-- A partition that is read directly, not through its parent, needs its own call.
CREATE FUNCTION lastmile.protect(protected regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = protected AND attname = 'tenant_id' AND attnum > 0 AND NOT attisdropped) THEN
        RAISE undefined_column USING MESSAGE = format('%s has no column tenant_id, so its rows belong to no tenant', protected);
    END IF;
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', protected);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', protected);
    EXECUTE format('DROP POLICY IF EXISTS tenant_isolation ON %s', protected);
    EXECUTE format('DROP POLICY IF EXISTS system_access ON %s', protected);
    EXECUTE format(
        'CREATE POLICY tenant_isolation ON %s USING (tenant_id = lastmile.current_tenant()) WITH CHECK (tenant_id = lastmile.current_tenant())',
        protected);
    EXECUTE format('CREATE POLICY system_access ON %s TO lastmile_system USING (true) WITH CHECK (true)', protected);
END
$$;

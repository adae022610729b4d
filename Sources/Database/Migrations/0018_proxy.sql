-- Other RADIUS servers that requests of a realm are forwarded to: see docs/proxy.md.
CREATE TABLE aaa.home_server (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL REFERENCES tenancy.tenant,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    address inet NOT NULL CHECK (masklen(address) = CASE family(address) WHEN 4 THEN 32 ELSE 128 END),
    transport text NOT NULL DEFAULT 'udp' CHECK (transport IN ('udp', 'tcp', 'tls')),
    -- over tcp and tls both kinds go to auth_port
    auth_port integer NOT NULL DEFAULT 1812 CHECK (auth_port BETWEEN 1 AND 65535),
    acct_port integer NOT NULL DEFAULT 1813 CHECK (acct_port BETWEEN 1 AND 65535),
    -- sealed; over tls the secret is "radsec" (RFC 6614) and this is not used
    secret bytea NOT NULL,
    tls_name text CHECK (length(tls_name) BETWEEN 1 AND 253),
    response_milliseconds integer NOT NULL DEFAULT 4000 CHECK (response_milliseconds BETWEEN 100 AND 60000),
    status_server boolean NOT NULL DEFAULT true,
    check_seconds integer NOT NULL DEFAULT 10 CHECK (check_seconds BETWEEN 1 AND 3600),
    zombie_seconds integer NOT NULL DEFAULT 40 CHECK (zombie_seconds BETWEEN 1 AND 3600),
    answers_to_revive integer NOT NULL DEFAULT 3 CHECK (answers_to_revive BETWEEN 1 AND 10),
    revive_seconds integer NOT NULL DEFAULT 120 CHECK (revive_seconds BETWEEN 1 AND 86400),
    require_message_authenticator boolean NOT NULL DEFAULT true,
    max_outstanding integer NOT NULL DEFAULT 2048 CHECK (max_outstanding BETWEEN 1 AND 2048),
    enabled boolean NOT NULL DEFAULT true,
    notes text NOT NULL DEFAULT '',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, id)
);
SELECT lastmile.protect('aaa.home_server');

CREATE TABLE aaa.home_server_pool (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL REFERENCES tenancy.tenant,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    choice text NOT NULL DEFAULT 'failover' CHECK (choice IN ('failover', 'balance', 'keyed')),
    -- names, in the order of preference; the daemon checks that they exist, the triggers below that they stay
    servers text[] NOT NULL CHECK (cardinality(servers) BETWEEN 1 AND 32),
    notes text NOT NULL DEFAULT '',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, id)
);
SELECT lastmile.protect('aaa.home_server_pool');

CREATE TABLE aaa.realm (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL REFERENCES tenancy.tenant,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    kind text NOT NULL DEFAULT 'suffix' CHECK (kind IN ('suffix', 'prefix', 'pattern', 'null', 'default')),
    -- the realm, or the pattern; empty for null and default
    realm text NOT NULL DEFAULT '' CHECK (octet_length(realm) <= 253 AND (realm = '') = (kind IN ('null', 'default'))),
    -- among patterns the lowest is tried first
    priority integer NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 1000000),
    -- null: such logins are answered here
    pool_id bigint,
    -- null: accounting stays here
    accounting_pool_id bigint,
    strip boolean NOT NULL DEFAULT false,
    unanswered text NOT NULL DEFAULT 'silent' CHECK (unanswered IN ('silent', 'reject')),
    request_allow text[] NOT NULL DEFAULT '{}',
    request_remove text[] NOT NULL DEFAULT '{}',
    reply_allow text[] NOT NULL DEFAULT '{}',
    reply_remove text[] NOT NULL DEFAULT '{}',
    enabled boolean NOT NULL DEFAULT true,
    notes text NOT NULL DEFAULT '',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, pool_id) REFERENCES aaa.home_server_pool (tenant_id, id),
    FOREIGN KEY (tenant_id, accounting_pool_id) REFERENCES aaa.home_server_pool (tenant_id, id)
);
CREATE UNIQUE INDEX realm_text_key ON aaa.realm (tenant_id, kind, lower(realm));
CREATE INDEX realm_pool ON aaa.realm (pool_id);
CREATE INDEX realm_accounting_pool ON aaa.realm (accounting_pool_id);
SELECT lastmile.protect('aaa.realm');

-- A home server that a pool names stays, or takes its new name along.
CREATE FUNCTION aaa.keep_home_server() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT 1 FROM aaa.home_server_pool p WHERE p.tenant_id = OLD.tenant_id AND OLD.name = ANY (p.servers)) THEN
            RAISE foreign_key_violation USING
                MESSAGE = 'home server ' || OLD.name || ' is in a pool', SCHEMA = 'aaa', TABLE = 'home_server_pool',
                CONSTRAINT = 'home_server_pool_servers_fkey';
        END IF;
        RETURN OLD;
    END IF;
    IF NEW.name <> OLD.name THEN
        UPDATE aaa.home_server_pool p SET servers = array_replace(p.servers, OLD.name, NEW.name), version = p.version + 1, updated_at = now()
        WHERE p.tenant_id = OLD.tenant_id AND OLD.name = ANY (p.servers);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON aaa.home_server FOR EACH ROW EXECUTE FUNCTION aaa.keep_home_server();

CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON aaa.home_server
    FOR EACH ROW EXECUTE FUNCTION aaa.record_change('proxy', 'id');
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON aaa.home_server_pool
    FOR EACH ROW EXECUTE FUNCTION aaa.record_change('proxy', 'id');
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON aaa.realm
    FOR EACH ROW EXECUTE FUNCTION aaa.record_change('proxy', 'id');

-- The home server that a login was forwarded to; null: none was asked.
ALTER TABLE aaa.auth_log ADD COLUMN home_server_id bigint;

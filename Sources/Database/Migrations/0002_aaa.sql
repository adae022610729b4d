-- Who may log in, from where, and at what speed. lastmile.protect() turns on forced row-level security.
CREATE SCHEMA tenancy;
CREATE SCHEMA aaa;

CREATE TABLE tenancy.tenant (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    title text NOT NULL DEFAULT '',
    time_zone text NOT NULL DEFAULT 'UTC',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Rates are bits per second and named as the subscriber sees them.
CREATE TABLE aaa.profile (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL REFERENCES tenancy.tenant,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    download bigint NOT NULL DEFAULT 0 CHECK (download BETWEEN 0 AND 10000000000000),
    upload bigint NOT NULL DEFAULT 0 CHECK (upload BETWEEN 0 AND 10000000000000),
    download_burst bigint CHECK (download_burst > 0),
    upload_burst bigint CHECK (upload_burst > 0),
    burst_seconds integer CHECK (burst_seconds BETWEEN 1 AND 3600),
    priority integer CHECK (priority BETWEEN 1 AND 8),
    download_policy text CHECK (length(download_policy) BETWEEN 1 AND 200),
    upload_policy text CHECK (length(upload_policy) BETWEEN 1 AND 200),
    session_timeout integer CHECK (session_timeout > 0),
    idle_timeout integer CHECK (idle_timeout > 0),
    interim_interval integer CHECK (interim_interval BETWEEN 60 AND 86400),
    filters text[] NOT NULL DEFAULT '{}',
    attributes jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(attributes) = 'array'),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, id)
);
SELECT lastmile.protect('aaa.profile');

-- One row a tenant: what holds where subscriber and profile say nothing.
CREATE TABLE aaa.access_policy (
    tenant_id bigint PRIMARY KEY REFERENCES tenancy.tenant,
    walled_garden_profile_id bigint,
    interim_interval integer NOT NULL DEFAULT 600 CHECK (interim_interval BETWEEN 60 AND 86400),
    version bigint NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (tenant_id, walled_garden_profile_id) REFERENCES aaa.profile (tenant_id, id)
);
SELECT lastmile.protect('aaa.access_policy');

CREATE TABLE aaa.nas (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL REFERENCES tenancy.tenant,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    address cidr NOT NULL,
    secret bytea NOT NULL,
    vendor text NOT NULL DEFAULT 'generic',
    coa_address inet,
    -- null: as coa.port of the configuration says
    coa_port integer CHECK (coa_port BETWEEN 1 AND 65535),
    -- null: as radius.require_message_authenticator and radius.limit_proxy_state of the configuration say
    require_message_authenticator text CHECK (require_message_authenticator IN ('no', 'yes', 'auto')),
    limit_proxy_state text CHECK (limit_proxy_state IN ('no', 'yes', 'auto')),
    send_message_authenticator boolean NOT NULL DEFAULT true,
    enabled boolean NOT NULL DEFAULT true,
    notes text NOT NULL DEFAULT '',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, id)
);
-- A packet is known by its source address alone, whatever the tenant.
CREATE UNIQUE INDEX nas_address_key ON aaa.nas (address);
SELECT lastmile.protect('aaa.nas');

-- What a NAS was seen to do; survives restarts, so that the BlastRADIUS window is not reopened (CVE-2024-3596).
CREATE TABLE aaa.nas_observation (
    nas_id bigint PRIMARY KEY REFERENCES aaa.nas ON DELETE CASCADE,
    tenant_id bigint NOT NULL REFERENCES tenancy.tenant,
    requires_message_authenticator boolean,
    limits_proxy_state boolean,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL
);
SELECT lastmile.protect('aaa.nas_observation');

CREATE TABLE aaa.subscriber (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL REFERENCES tenancy.tenant,
    username text NOT NULL CHECK (octet_length(username) BETWEEN 1 AND 253 AND username !~ '[[:cntrl:]]'),
    -- sealed; what is inside depends on the kind: the clear text, 32 hex digits of an NT hash, or a crypt/PHC string
    password bytea,
    password_kind text NOT NULL DEFAULT 'clear' CHECK (password_kind IN ('clear', 'nt', 'hash')),
    status text NOT NULL DEFAULT 'active'
        CHECK (status IN ('pending', 'active', 'quarantined', 'suspended', 'disconnected', 'terminated')),
    profile_id bigint,
    static_ipv4 inet CHECK (family(static_ipv4) = 4 AND masklen(static_ipv4) = 32),
    ipv6_prefix cidr CHECK (family(ipv6_prefix) = 6),
    delegated_ipv6_prefix cidr CHECK (family(delegated_ipv6_prefix) = 6),
    routes text[] NOT NULL DEFAULT '{}',
    vlan integer CHECK (vlan BETWEEN 1 AND 4094),
    inner_vlan integer CHECK (inner_vlan BETWEEN 1 AND 4094),
    session_timeout integer CHECK (session_timeout > 0),
    idle_timeout integer CHECK (idle_timeout > 0),
    interim_interval integer CHECK (interim_interval BETWEEN 60 AND 86400),
    filters text[] NOT NULL DEFAULT '{}',
    attributes jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(attributes) = 'array'),
    full_name text NOT NULL DEFAULT '',
    notes text NOT NULL DEFAULT '',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, username),
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, profile_id) REFERENCES aaa.profile (tenant_id, id)
);
CREATE INDEX subscriber_profile ON aaa.subscriber (profile_id);
SELECT lastmile.protect('aaa.subscriber');

-- Reason-scoped restrictions; the most severe one in force decides.
CREATE TABLE aaa.access_lock (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL REFERENCES tenancy.tenant,
    subscriber_id bigint NOT NULL,
    reason text NOT NULL CHECK (reason IN ('overdue', 'prepaid', 'fair_use', 'customer_hold', 'admin', 'fraud', 'system')),
    level text NOT NULL CHECK (level IN ('captive', 'suspended')),
    note text NOT NULL DEFAULT '',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, subscriber_id, reason),
    FOREIGN KEY (tenant_id, subscriber_id) REFERENCES aaa.subscriber (tenant_id, id) ON DELETE CASCADE
);
SELECT lastmile.protect('aaa.access_lock');

-- The change feed. A reader takes what it can see, and goes on from the oldest transaction that may still be open, so that a
-- change that commits late is not missed. `name` is the one that a renamed or deleted row gave up.
CREATE TABLE aaa.change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
    tenant_id bigint NOT NULL,
    kind text NOT NULL,
    key bigint NOT NULL,
    name text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX change_order ON aaa.change (transaction_id, id);
GRANT SELECT, INSERT, DELETE ON aaa.change TO lastmile_system;

-- Arguments: the kind, the column of the key, and where names matter the column of the name.
CREATE FUNCTION aaa.record_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    subject jsonb := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
    former text;
BEGIN
    IF TG_NARGS > 2 AND TG_OP <> 'INSERT' THEN
        former := to_jsonb(OLD) ->> TG_ARGV[2];
        IF TG_OP = 'UPDATE' AND former = subject ->> TG_ARGV[2] THEN
            former := NULL;
        END IF;
    END IF;
    INSERT INTO aaa.change (tenant_id, kind, key, name)
    VALUES ((subject ->> 'tenant_id')::bigint, TG_ARGV[0], (subject ->> TG_ARGV[1])::bigint, former);
    PERFORM pg_notify('lastmile_change', '');
    RETURN NULL;
END $$;

CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON aaa.profile
    FOR EACH ROW EXECUTE FUNCTION aaa.record_change('profile', 'id');
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON aaa.access_policy
    FOR EACH ROW EXECUTE FUNCTION aaa.record_change('access_policy', 'tenant_id');
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON aaa.nas
    FOR EACH ROW EXECUTE FUNCTION aaa.record_change('nas', 'id');
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON aaa.subscriber
    FOR EACH ROW EXECUTE FUNCTION aaa.record_change('subscriber', 'id', 'username');
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON aaa.access_lock
    FOR EACH ROW EXECUTE FUNCTION aaa.record_change('subscriber', 'subscriber_id');

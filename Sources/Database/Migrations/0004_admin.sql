-- Who may use the interface, what they changed, and what repeated requests are answered.

CREATE TABLE tenancy.api_token (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL REFERENCES tenancy.tenant,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    -- SHA-256 of the token, which holds 256 random bits: nothing to guess, nothing to salt
    digest bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    scopes text[] NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, name)
);
SELECT lastmile.protect('tenancy.api_token');

-- Append-only. The tenant is no foreign key: the record of a tenant's removal outlives it.
CREATE TABLE lastmile.audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL,
    action text NOT NULL,
    resource text NOT NULL,
    resource_id bigint NOT NULL,
    resource_name text NOT NULL DEFAULT '',
    -- the row as it is answered over HTTP, so without secrets
    before jsonb,
    after jsonb,
    request_id text NOT NULL
);
CREATE INDEX audit_subject ON lastmile.audit (tenant_id, resource, resource_id, id);
SELECT lastmile.protect('lastmile.audit');
REVOKE UPDATE, DELETE ON lastmile.audit FROM lastmile_system;

CREATE FUNCTION lastmile.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON lastmile.audit
    FOR EACH STATEMENT EXECUTE FUNCTION lastmile.refuse_change();

CREATE TABLE lastmile.idempotency_key (
    tenant_id bigint NOT NULL,
    principal text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    -- SHA-256 of address and body: the same key with another request is refused
    fingerprint bytea NOT NULL,
    status integer NOT NULL DEFAULT 0,
    headers jsonb NOT NULL DEFAULT '{}',
    body bytea NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, principal, route, key)
);
CREATE INDEX idempotency_key_age ON lastmile.idempotency_key (tenant_id, created_at);
SELECT lastmile.protect('lastmile.idempotency_key');

-- Open and closed sessions as one list. A session is in one of the two tables at any time.
CREATE VIEW aaa.session_record WITH (security_invoker = true) AS
SELECT id, tenant_id, CASE WHEN stopped_at IS NOT NULL THEN 'closed' WHEN stale THEN 'stale' ELSE 'open' END AS state,
    username, subscriber_id, nas_id, profile_id, framed_ipv4, framed_ipv6, framed_ipv6_prefix, delegated_ipv6_prefix,
    CASE WHEN calling_station_id ~ '^([0-9A-Fa-f]{2}[:.-]?){5}[0-9A-Fa-f]{2}$'
        THEN regexp_replace(calling_station_id, '[^0-9A-Fa-f]', '', 'g')::macaddr END AS mac,
    calling_station_id, called_station_id, acct_session_id, multi_session_id, nas_identifier, nas_address, nas_port, nas_port_id,
    started_at, updated_at, stopped_at, ended_by, terminate_cause, session_seconds, download_octets, upload_octets
FROM aaa.session_list
UNION ALL
SELECT id, tenant_id, 'closed',
    username, subscriber_id, nas_id, profile_id, framed_ipv4, framed_ipv6, framed_ipv6_prefix, delegated_ipv6_prefix,
    CASE WHEN calling_station_id ~ '^([0-9A-Fa-f]{2}[:.-]?){5}[0-9A-Fa-f]{2}$'
        THEN regexp_replace(calling_station_id, '[^0-9A-Fa-f]', '', 'g')::macaddr END,
    calling_station_id, called_station_id, acct_session_id, multi_session_id, nas_identifier, nas_address, nas_port, nas_port_id,
    started_at, updated_at, stopped_at, ended_by, terminate_cause, session_seconds, download_octets, upload_octets
FROM aaa.session_history;

-- Ordered rules that decide about logins once the password is proven: see docs/policy.md. The daemon checks conditions and attributes
-- against its dictionary before it stores a rule; the table knows only their shape.
CREATE TABLE aaa.policy_rule (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL REFERENCES tenancy.tenant,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    -- the lowest is looked at first; among equal ones the lower id
    priority integer NOT NULL CHECK (priority BETWEEN 0 AND 1000000),
    enabled boolean NOT NULL DEFAULT true,
    -- empty: always
    condition text NOT NULL DEFAULT '' CHECK (octet_length(condition) <= 4000),
    outcome text NOT NULL DEFAULT 'continue' CHECK (outcome IN ('continue', 'stop', 'reject')),
    set_attributes jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(set_attributes) = 'array'),
    add_attributes jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(add_attributes) = 'array'),
    remove_attributes text[] NOT NULL DEFAULT '{}',
    -- instead of the subscriber's own; null: no other
    profile_id bigint,
    require_methods text[] NOT NULL DEFAULT '{}',
    -- Reply-Message of a refusal
    message text NOT NULL DEFAULT '' CHECK (octet_length(message) <= 253),
    notes text NOT NULL DEFAULT '',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, profile_id) REFERENCES aaa.profile (tenant_id, id)
);
CREATE INDEX policy_rule_profile ON aaa.policy_rule (profile_id);
SELECT lastmile.protect('aaa.policy_rule');

CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON aaa.policy_rule
    FOR EACH ROW EXECUTE FUNCTION aaa.record_change('policy_rule', 'id');

-- Rules ask for the time of day in the tenant's zone, so a change of the zone is one of the rules.
CREATE FUNCTION aaa.record_zone_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO aaa.change (tenant_id, kind, key) VALUES (NEW.id, 'policy_rule', 0);
    PERFORM pg_notify('lastmile_change', '');
    RETURN NULL;
END $$;

CREATE TRIGGER zone_changed AFTER UPDATE OF time_zone ON tenancy.tenant
    FOR EACH ROW WHEN (OLD.time_zone IS DISTINCT FROM NEW.time_zone) EXECUTE FUNCTION aaa.record_zone_change();

-- From then on the subscriber is refused; sessions end by Session-Timeout. A validity counts from the first login that is accepted, which
-- then sets activated_at and expires_at.
ALTER TABLE aaa.subscriber
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN validity integer CHECK (validity BETWEEN 60 AND 2000000000),
    ADD COLUMN activated_at timestamptz;
-- Those whose first login is awaited.
CREATE INDEX subscriber_inactive ON aaa.subscriber (id) WHERE validity IS NOT NULL AND activated_at IS NULL;

-- The name is a hardware address, and being it is enough to log in while no password is set.
ALTER TABLE aaa.subscriber
    ADD COLUMN mac_authentication boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT subscriber_username_mac CHECK (NOT mac_authentication OR username ~ '^([0-9a-f]{2}:){5}[0-9a-f]{2}$');

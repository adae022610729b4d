-- Hooks: who is told of logins once they are answered. See docs/hooks.md.
CREATE TABLE aaa.post_auth_hook (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL REFERENCES tenancy.tenant,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    enabled boolean NOT NULL DEFAULT true,
    -- which answers it is told of
    outcome text NOT NULL DEFAULT 'both' CHECK (outcome IN ('accept', 'reject', 'both')),
    -- empty: always; the daemon checks it before it stores it
    condition text NOT NULL DEFAULT '' CHECK (octet_length(condition) <= 4000),
    url text NOT NULL CHECK (octet_length(url) BETWEEN 8 AND 2000),
    -- sealed; what messages are signed with
    secret bytea NOT NULL,
    notes text NOT NULL DEFAULT '',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, id)
);
SELECT lastmile.protect('aaa.post_auth_hook');

-- How far each hook has come: apart from it, since this changes with every message and is nobody's edit.
CREATE TABLE aaa.post_auth_progress (
    hook_id bigint PRIMARY KEY,
    tenant_id bigint NOT NULL,
    -- at the message under way
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(),
    -- the message under way, by the ids of what it holds: every attempt is to have the same octets
    events bigint[] NOT NULL DEFAULT '{}',
    delivered_events bigint NOT NULL DEFAULT 0,
    lost_events bigint NOT NULL DEFAULT 0,
    -- in aaa.post_auth_event, as the node that tells hooks counted them last; no more than may wait are counted
    waiting_events bigint NOT NULL DEFAULT 0,
    counted_at timestamptz NOT NULL DEFAULT now(),
    delivered_at timestamptz,
    problem text,
    FOREIGN KEY (tenant_id, hook_id) REFERENCES aaa.post_auth_hook (tenant_id, id) ON DELETE CASCADE
);
SELECT lastmile.protect('aaa.post_auth_progress');

-- What hooks are still to be told. Written in the transaction that stores the login in aaa.auth_log.
CREATE TABLE aaa.post_auth_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL,
    hook_id bigint NOT NULL,
    event json NOT NULL,
    FOREIGN KEY (tenant_id, hook_id) REFERENCES aaa.post_auth_hook (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX post_auth_event_order ON aaa.post_auth_event (hook_id, id);
SELECT lastmile.protect('aaa.post_auth_event');

-- A hook that is new, goes elsewhere or is switched on again is tried at once, and from the first attempt on.
CREATE FUNCTION aaa.begin_post_auth() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO aaa.post_auth_progress (hook_id, tenant_id) VALUES (NEW.id, NEW.tenant_id)
    ON CONFLICT (hook_id) DO UPDATE SET attempts = 0, due_at = now(), problem = NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER begun AFTER INSERT ON aaa.post_auth_hook FOR EACH ROW EXECUTE FUNCTION aaa.begin_post_auth();
CREATE TRIGGER begun_again AFTER UPDATE OF enabled, url, secret ON aaa.post_auth_hook
    FOR EACH ROW WHEN (NEW.enabled AND (NOT OLD.enabled OR NEW.url <> OLD.url OR NEW.secret <> OLD.secret))
    EXECUTE FUNCTION aaa.begin_post_auth();

-- Stations and lines that subscribers may log in from: see docs/bindings.md. The daemon reads the values; the table knows only their shape.
ALTER TABLE aaa.subscriber
    ADD COLUMN mac_binding text NOT NULL DEFAULT 'ignore' CHECK (mac_binding IN ('ignore', 'log', 'enforce')),
    -- hardware addresses
    ADD COLUMN macs text[] NOT NULL DEFAULT '{}' CHECK (cardinality(macs) <= 32),
    ADD COLUMN line_binding text NOT NULL DEFAULT 'ignore' CHECK (line_binding IN ('ignore', 'log', 'enforce')),
    -- text, or 0x and hexadecimal digits
    ADD COLUMN circuit_ids text[] NOT NULL DEFAULT '{}' CHECK (cardinality(circuit_ids) <= 32),
    ADD COLUMN remote_ids text[] NOT NULL DEFAULT '{}' CHECK (cardinality(remote_ids) <= 32),
    ADD COLUMN nas_port_ids text[] NOT NULL DEFAULT '{}' CHECK (cardinality(nas_port_ids) <= 32),
    -- the first accepted login fills what is empty
    ADD COLUMN bind_on_first_use boolean NOT NULL DEFAULT false;
-- Whoever is held to nothing that is named could not log in at all.
ALTER TABLE aaa.subscriber
    ADD CONSTRAINT subscriber_macs_check1 CHECK (mac_binding = 'ignore' OR bind_on_first_use OR cardinality(macs) > 0),
    ADD CONSTRAINT subscriber_line_binding_check1 CHECK (
        line_binding = 'ignore' OR bind_on_first_use OR cardinality(circuit_ids) + cardinality(remote_ids) + cardinality(nas_port_ids) > 0);

-- Sessions at once. A subscriber's null leaves it to the profile; 0 is no limit.
ALTER TABLE aaa.profile
    ADD COLUMN session_limit integer CHECK (session_limit BETWEEN 1 AND 64),
    ADD COLUMN on_session_limit text NOT NULL DEFAULT 'reject' CHECK (on_session_limit IN ('reject', 'replace'));
ALTER TABLE aaa.subscriber
    ADD COLUMN session_limit integer CHECK (session_limit BETWEEN 0 AND 64),
    ADD COLUMN on_session_limit text CHECK (on_session_limit IN ('reject', 'replace'));
CREATE INDEX profile_limited ON aaa.profile (id) WHERE session_limit > 0;
CREATE INDEX subscriber_limited ON aaa.subscriber (id) WHERE session_limit > 0;

ALTER TABLE aaa.auth_log
    -- what the subscriber is not bound to: mac, line or mac_and_line; null: nothing
    ADD COLUMN binding text,
    -- of subscribers that are bound to a line
    ADD COLUMN circuit_id text,
    ADD COLUMN remote_id text;

-- Every CoA-Request and Disconnect-Request that this server was asked to send (RFC 5176), and how it ended.
-- The row is written before the packet leaves. Without an outcome: still on its way, or the server stopped in between and
-- nobody knows. A session outlives its row in aaa.session, so session_id refers to nothing.
CREATE TABLE aaa.dynamic_authorization (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL REFERENCES tenancy.tenant,
    session_id bigint NOT NULL,
    nas_id bigint NOT NULL,
    username text NOT NULL DEFAULT '',
    kind text NOT NULL CHECK (kind IN ('disconnect', 'coa')),
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    outcome text CHECK (outcome IN ('ack', 'nak', 'timeout', 'refused')),
    -- RFC 5176 §3.5; 32 bits without sign
    error_cause bigint CHECK (error_cause BETWEEN 0 AND 4294967295),
    -- what happened and what to do, in words
    message text NOT NULL DEFAULT '',
    -- how often the packet was sent before we gave up
    attempts integer CHECK (attempts >= 0),
    CHECK ((finished_at IS NULL) = (outcome IS NULL)),
    CHECK (error_cause IS NULL OR outcome = 'nak')
);
CREATE INDEX dynamic_authorization_session ON aaa.dynamic_authorization (session_id);
CREATE INDEX dynamic_authorization_tenant ON aaa.dynamic_authorization (tenant_id, id);
SELECT lastmile.protect('aaa.dynamic_authorization');

-- A session in two rows: who and where it is, which hardly changes, and how far it has come, which changes with every record. The second
-- is short and has one index, so that a record costs two thirds of what it cost. aaa.session is both, and what everybody reads.

DROP VIEW aaa.usage, aaa.session_record, aaa.session_list;

ALTER TABLE aaa.session RENAME TO session_header;

-- No row: the session is open and as its header says. Each row that is not the first of its session is a heap-only update in its page.
CREATE TABLE aaa.session_progress (
    id bigint PRIMARY KEY,
    tenant_id bigint NOT NULL,
    started_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    stopped_at timestamptz,
    ended_by text CHECK (ended_by IN ('stop', 'accounting_on', 'ghost', 'replaced')),
    terminate_cause text,
    session_seconds bigint NOT NULL,
    upload_octets bigint NOT NULL,
    download_octets bigint NOT NULL,
    -- what the shipper needs to know duplicates, wraps and late records; not for people
    fold bytea NOT NULL,
    CHECK (stopped_at IS NULL OR ended_by IS NOT NULL)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.1);
SELECT lastmile.protect('aaa.session_progress');

SET LOCAL ROLE lastmile_system;
INSERT INTO aaa.session_progress
SELECT id, tenant_id, started_at, updated_at, stopped_at, ended_by, terminate_cause, session_seconds, upload_octets, download_octets, fold
FROM aaa.session_header WHERE stopped_at IS NOT NULL;
RESET ROLE;

-- Where a row of the progress is, these say how the session began.
ALTER TABLE aaa.session_header DROP COLUMN stopped_at CASCADE, DROP COLUMN ended_by CASCADE, DROP COLUMN terminate_cause;
ALTER TABLE aaa.session_header SET (fillfactor = 70);

CREATE VIEW aaa.session WITH (security_invoker = true) AS
SELECT h.id, h.tenant_id, h.nas_id, h.session_key, h.subscriber_id, h.profile_id, h.username, h.acct_session_id, h.multi_session_id,
    h.nas_identifier, h.nas_address, h.source_address, h.nas_port, h.nas_port_id, h.nas_port_type, h.calling_station_id, h.called_station_id,
    h.framed_ipv4, h.framed_ipv6, h.framed_ipv6_prefix, h.delegated_ipv6_prefix, h.framed_interface_id, h.class,
    coalesce(p.started_at, h.started_at) AS started_at, coalesce(p.updated_at, h.updated_at) AS updated_at,
    p.stopped_at, p.ended_by, p.terminate_cause, coalesce(p.session_seconds, h.session_seconds) AS session_seconds,
    coalesce(p.upload_octets, h.upload_octets) AS upload_octets, coalesce(p.download_octets, h.download_octets) AS download_octets,
    coalesce(p.fold, h.fold) AS fold, h.booked_day, h.booked_upload, h.booked_download, h.booked_seconds
FROM aaa.session_header h LEFT JOIN aaa.session_progress p ON p.id = h.id;

-- Ends those of the sessions `ids` that are open, none before it began. Returns how many.
CREATE FUNCTION aaa.end_sessions(ids bigint[], at timestamptz, ending text, cause text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    ended integer;
BEGIN
    INSERT INTO aaa.session_progress AS p
    SELECT s.id, s.tenant_id, s.started_at, s.updated_at, greatest(s.started_at, at), ending, cause, s.session_seconds, s.upload_octets,
        s.download_octets, s.fold
    FROM aaa.session s WHERE s.id = ANY (ids) AND s.stopped_at IS NULL ORDER BY s.id
    ON CONFLICT (id) DO UPDATE SET stopped_at = greatest(p.started_at, at), ended_by = ending, terminate_cause = cause
    WHERE p.stopped_at IS NULL;
    GET DIAGNOSTICS ended = ROW_COUNT;
    RETURN ended;
END
$$;

-- As before, over the new view.
CREATE VIEW aaa.session_list WITH (security_invoker = true) AS
SELECT s.*,
    s.stopped_at IS NULL AND s.updated_at < now() - 3 * interval '1 second'
        * coalesce(u.interim_interval, p.interim_interval, a.interim_interval, 600) AS stale
FROM aaa.session s
LEFT JOIN aaa.subscriber u ON u.id = s.subscriber_id AND u.tenant_id = s.tenant_id
LEFT JOIN aaa.profile p ON p.id = s.profile_id AND p.tenant_id = s.tenant_id
LEFT JOIN aaa.access_policy a ON a.tenant_id = s.tenant_id;

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

CREATE VIEW aaa.usage WITH (security_invoker = true) AS
SELECT tenant_id, subscriber_id, day, aaa.saturated(sum(upload_octets)) AS upload_octets,
    aaa.saturated(sum(download_octets)) AS download_octets, aaa.saturated(sum(session_seconds)) AS session_seconds
FROM (
    SELECT tenant_id, subscriber_id, day, upload_octets, download_octets, session_seconds FROM aaa.usage_day
    UNION ALL
    SELECT tenant_id, subscriber_id, booked_day, upload_octets - booked_upload, download_octets - booked_download,
        session_seconds - booked_seconds
    FROM aaa.session
    WHERE booked_day IS NOT NULL AND subscriber_id IS NOT NULL
        AND (upload_octets > booked_upload OR download_octets > booked_download OR session_seconds > booked_seconds)
) part
GROUP BY tenant_id, subscriber_id, day;

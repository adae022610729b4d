-- Fewer rows and index entries for a record of accounting.

-- How much of a session's totals aaa.usage_day has; the rest belongs to booked_day, the last day that the session's records speak of.
-- It is booked when another day begins and when the session goes to the history, not with every record.
ALTER TABLE aaa.session
    ADD COLUMN booked_day date,
    ADD COLUMN booked_upload bigint NOT NULL DEFAULT 0,
    ADD COLUMN booked_download bigint NOT NULL DEFAULT 0,
    ADD COLUMN booked_seconds bigint NOT NULL DEFAULT 0;
SET LOCAL ROLE lastmile_system;
UPDATE aaa.session SET booked_upload = upload_octets, booked_download = download_octets, booked_seconds = session_seconds;
RESET ROLE;

-- A sum that stops at the largest number: what routers claim must not stop the daemon's work.
CREATE FUNCTION aaa.saturated(total numeric) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT least(total, 9223372036854775807)::bigint
$$;

-- What people and bills ask: both together.
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

-- One index on the key for open and closed sessions alike. Two partial ones had stopped_at in their conditions, so that a Stop could not
-- be a heap-only update, and every index of the table learnt of it. That no two open sessions have one key is kept by the lock that
-- the shippers of all nodes take for a router before they read its sessions.
DROP INDEX aaa.session_open_key;
DROP INDEX aaa.session_closed_key;
CREATE INDEX session_key ON aaa.session (nas_id, session_key);

-- The shippers take numbers by the thousand; those that one of them leaves over are lost.
ALTER SEQUENCE aaa.session_id_seq CACHE 1000;

-- Sessions of NASes whose clock is behind, quotas that are taken away or whose lock is, and who has an address in conflict.

-- When a session was heard of last, by the node's clock, where that is later than its events by so much that it would seem silent: its
-- NAS's clock is behind, or the NAS held records back and does not say so (Acct-Delay-Time). Null else.
ALTER TABLE aaa.session_header ADD COLUMN heard_at timestamptz;
ALTER TABLE aaa.session_progress ADD COLUMN heard_at timestamptz;
ALTER TABLE aaa.session_history ADD COLUMN heard_at timestamptz;

-- As before, and the new column at the end, so that what stands on these views stays.
CREATE OR REPLACE VIEW aaa.session WITH (security_invoker = true) AS
SELECT h.id, h.tenant_id, h.nas_id, h.session_key, h.subscriber_id, h.profile_id, h.username, h.acct_session_id, h.multi_session_id,
    h.nas_identifier, h.nas_address, h.source_address, h.nas_port, h.nas_port_id, h.nas_port_type, h.calling_station_id, h.called_station_id,
    h.framed_ipv4, h.framed_ipv6, h.framed_ipv6_prefix, h.delegated_ipv6_prefix, h.framed_interface_id, h.class,
    coalesce(p.started_at, h.started_at) AS started_at, coalesce(p.updated_at, h.updated_at) AS updated_at,
    p.stopped_at, p.ended_by, p.terminate_cause, coalesce(p.session_seconds, h.session_seconds) AS session_seconds,
    coalesce(p.upload_octets, h.upload_octets) AS upload_octets, coalesce(p.download_octets, h.download_octets) AS download_octets,
    coalesce(p.fold, h.fold) AS fold, h.booked_day, h.booked_upload, h.booked_download, h.booked_seconds,
    h.forwarded_realm_id, h.operator_nas_identifier, coalesce(p.heard_at, h.heard_at) AS heard_at
FROM aaa.session_header h LEFT JOIN aaa.session_progress p ON p.id = h.id;

CREATE OR REPLACE VIEW aaa.session_list WITH (security_invoker = true) AS
SELECT s.id, s.tenant_id, s.nas_id, s.session_key, s.subscriber_id, s.profile_id, s.username, s.acct_session_id, s.multi_session_id,
    s.nas_identifier, s.nas_address, s.source_address, s.nas_port, s.nas_port_id, s.nas_port_type, s.calling_station_id, s.called_station_id,
    s.framed_ipv4, s.framed_ipv6, s.framed_ipv6_prefix, s.delegated_ipv6_prefix, s.framed_interface_id, s.class, s.started_at, s.updated_at,
    s.stopped_at, s.ended_by, s.terminate_cause, s.session_seconds, s.upload_octets, s.download_octets, s.fold, s.booked_day,
    s.booked_upload, s.booked_download, s.booked_seconds,
    s.stopped_at IS NULL AND greatest(s.updated_at, s.heard_at) < now() - 3 * interval '1 second'
        * coalesce(u.interim_interval, p.interim_interval, a.interim_interval, 600) AS stale,
    s.forwarded_realm_id, s.operator_nas_identifier, s.heard_at
FROM aaa.session s
LEFT JOIN aaa.subscriber u ON u.id = s.subscriber_id AND u.tenant_id = s.tenant_id
LEFT JOIN aaa.profile p ON p.id = s.profile_id AND p.tenant_id = s.tenant_id
LEFT JOIN aaa.access_policy a ON a.tenant_id = s.tenant_id;

-- MARK: Quotas

-- As before, and what held the subscriber is told to hold no more. If it comes back, whatever restricts fires again; notices do not.
CREATE OR REPLACE FUNCTION aaa.leave_quota(s aaa.quota_state, at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    kept_until timestamptz := s.window_end + (s.window_end - s.window_start);
BEGIN
    PERFORM aaa.set_quota_lock(s.tenant_id, s.subscriber_id, 'none', '');
    IF s.action <> 'none' THEN
        INSERT INTO aaa.quota_event (
            tenant_id, at, subscriber_id, quota_id, action, used_octets, limit_octets, estimated, window_start, window_end)
        VALUES (s.tenant_id, at, s.subscriber_id, s.quota_id, 'restored', s.used_octets, s.limit_octets, s.estimated_octets > 0,
            s.window_start, s.window_end);
    END IF;
    IF at >= kept_until THEN
        DELETE FROM aaa.quota_state WHERE subscriber_id = s.subscriber_id;
    ELSE
        UPDATE aaa.quota_state SET quota_version = 0, action = 'none', profile_id = NULL, next_octets = 9223372036854775807,
            due_at = kept_until,
            fired = ARRAY(SELECT h.id FROM aaa.quota_threshold h WHERE h.id = ANY (s.fired) AND h.action = 'notify' ORDER BY h.id)
        WHERE subscriber_id = s.subscriber_id;
    END IF;
END
$$;

-- As before, and `unlocked` is whoever a quota would hold whose lock was taken away by hand.
CREATE OR REPLACE VIEW aaa.quota_state_list WITH (security_invoker = true) AS
SELECT s.tenant_id, s.subscriber_id, s.quota_id, s.window_start, s.window_end, s.used_octets, s.limit_octets,
    greatest(0, s.limit_octets - s.used_octets) AS remaining_octets, s.covered_octets AS top_up_octets,
    least(2147483647, floor(s.used_octets::numeric * 100 / s.limit_octets))::integer AS percent,
    CASE WHEN s.action IN ('captive', 'block') AND NOT EXISTS (
        SELECT FROM aaa.access_lock k WHERE k.tenant_id = s.tenant_id AND k.subscriber_id = s.subscriber_id AND k.reason = 'quota')
        THEN 'unlocked' ELSE s.action END AS action,
    s.profile_id,
    s.estimated_octets > 0
        OR EXISTS (SELECT FROM aaa.session_list l WHERE l.subscriber_id = s.subscriber_id AND l.tenant_id = s.tenant_id AND l.stale)
        OR EXISTS (
            SELECT FROM aaa.quota_delta d WHERE d.subscriber_id = s.subscriber_id AND d.created_at < now() - interval '10 seconds'
        ) AS estimated
FROM aaa.quota_state s WHERE s.quota_version > 0;

-- MARK: Addresses

-- As before, and the users of the sessions besides the newest one.
CREATE OR REPLACE VIEW aaa.address_lease_list WITH (security_invoker = true) AS
SELECT l.id, l.tenant_id, l.pool_id, l.address, l.subscriber_id, l.username, l.nas_id, l.calling_station_id, l.sessions[1] AS session_id,
    CASE WHEN cardinality(l.sessions) > 0 THEN CASE WHEN l.contested THEN 'conflict' ELSE 'in_use' END
        WHEN l.rests_until > now() THEN 'quarantine' ELSE 'free' END AS state,
    l.confirmed_at, l.released_at, l.rests_until,
    CASE WHEN l.contested THEN (
        SELECT string_agg(o.username, ', ' ORDER BY o.started_at DESC, o.id DESC)
        FROM (
            SELECT s.id, s.username, s.started_at FROM aaa.session s WHERE s.id = ANY (l.sessions)
            ORDER BY s.started_at DESC, s.id DESC OFFSET 1
        ) o
    ) END AS also_used_by
FROM aaa.address_lease l;

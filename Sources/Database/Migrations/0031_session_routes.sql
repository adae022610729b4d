-- By which way a session came in, and by which CoA and Disconnect may reach it.
ALTER TABLE aaa.session_header
    -- the realm that a policy rule chose for its first record; null: none did, and its User-Name says whose it is
    ADD COLUMN forwarded_realm_id bigint,
    -- Operator-NAS-Identifier (RFC 8559): what a proxy before us calls the NAS
    ADD COLUMN operator_nas_identifier bytea;
ALTER TABLE aaa.session_history
    ADD COLUMN forwarded_realm_id bigint,
    ADD COLUMN operator_nas_identifier bytea;

-- As before, and the new columns at the end, so that what stands on these views stays.
CREATE OR REPLACE VIEW aaa.session WITH (security_invoker = true) AS
SELECT h.id, h.tenant_id, h.nas_id, h.session_key, h.subscriber_id, h.profile_id, h.username, h.acct_session_id, h.multi_session_id,
    h.nas_identifier, h.nas_address, h.source_address, h.nas_port, h.nas_port_id, h.nas_port_type, h.calling_station_id, h.called_station_id,
    h.framed_ipv4, h.framed_ipv6, h.framed_ipv6_prefix, h.delegated_ipv6_prefix, h.framed_interface_id, h.class,
    coalesce(p.started_at, h.started_at) AS started_at, coalesce(p.updated_at, h.updated_at) AS updated_at,
    p.stopped_at, p.ended_by, p.terminate_cause, coalesce(p.session_seconds, h.session_seconds) AS session_seconds,
    coalesce(p.upload_octets, h.upload_octets) AS upload_octets, coalesce(p.download_octets, h.download_octets) AS download_octets,
    coalesce(p.fold, h.fold) AS fold, h.booked_day, h.booked_upload, h.booked_download, h.booked_seconds,
    h.forwarded_realm_id, h.operator_nas_identifier
FROM aaa.session_header h LEFT JOIN aaa.session_progress p ON p.id = h.id;

CREATE OR REPLACE VIEW aaa.session_list WITH (security_invoker = true) AS
SELECT s.id, s.tenant_id, s.nas_id, s.session_key, s.subscriber_id, s.profile_id, s.username, s.acct_session_id, s.multi_session_id,
    s.nas_identifier, s.nas_address, s.source_address, s.nas_port, s.nas_port_id, s.nas_port_type, s.calling_station_id, s.called_station_id,
    s.framed_ipv4, s.framed_ipv6, s.framed_ipv6_prefix, s.delegated_ipv6_prefix, s.framed_interface_id, s.class, s.started_at, s.updated_at,
    s.stopped_at, s.ended_by, s.terminate_cause, s.session_seconds, s.upload_octets, s.download_octets, s.fold, s.booked_day,
    s.booked_upload, s.booked_download, s.booked_seconds,
    s.stopped_at IS NULL AND s.updated_at < now() - 3 * interval '1 second'
        * coalesce(u.interim_interval, p.interim_interval, a.interim_interval, 600) AS stale,
    s.forwarded_realm_id, s.operator_nas_identifier
FROM aaa.session s
LEFT JOIN aaa.subscriber u ON u.id = s.subscriber_id AND u.tenant_id = s.tenant_id
LEFT JOIN aaa.profile p ON p.id = s.profile_id AND p.tenant_id = s.tenant_id
LEFT JOIN aaa.access_policy a ON a.tenant_id = s.tenant_id;

CREATE OR REPLACE VIEW aaa.session_record WITH (security_invoker = true) AS
SELECT id, tenant_id, CASE WHEN stopped_at IS NOT NULL THEN 'closed' WHEN stale THEN 'stale' ELSE 'open' END AS state,
    username, subscriber_id, nas_id, profile_id, framed_ipv4, framed_ipv6, framed_ipv6_prefix, delegated_ipv6_prefix,
    CASE WHEN calling_station_id ~ '^([0-9A-Fa-f]{2}[:.-]?){5}[0-9A-Fa-f]{2}$'
        THEN regexp_replace(calling_station_id, '[^0-9A-Fa-f]', '', 'g')::macaddr END AS mac,
    calling_station_id, called_station_id, acct_session_id, multi_session_id, nas_identifier, nas_address, nas_port, nas_port_id,
    started_at, updated_at, stopped_at, ended_by, terminate_cause, session_seconds, download_octets, upload_octets,
    forwarded_realm_id, operator_nas_identifier
FROM aaa.session_list
UNION ALL
SELECT id, tenant_id, 'closed',
    username, subscriber_id, nas_id, profile_id, framed_ipv4, framed_ipv6, framed_ipv6_prefix, delegated_ipv6_prefix,
    CASE WHEN calling_station_id ~ '^([0-9A-Fa-f]{2}[:.-]?){5}[0-9A-Fa-f]{2}$'
        THEN regexp_replace(calling_station_id, '[^0-9A-Fa-f]', '', 'g')::macaddr END,
    calling_station_id, called_station_id, acct_session_id, multi_session_id, nas_identifier, nas_address, nas_port, nas_port_id,
    started_at, updated_at, stopped_at, ended_by, terminate_cause, session_seconds, download_octets, upload_octets,
    forwarded_realm_id, operator_nas_identifier
FROM aaa.session_history;

-- How CoA and Disconnect reach a NAS: at its port of UDP, or over the connections that it has opened to us.
-- A connection is of a NAS by its address, so one that its NAS-Identifier tells from others there never has any.
ALTER TABLE aaa.nas ADD COLUMN coa_over text NOT NULL DEFAULT 'udp' CHECK (coa_over IN ('udp', 'connection')),
    ADD CONSTRAINT nas_connected CHECK (coa_over = 'udp' OR nas_identifier IS NULL);

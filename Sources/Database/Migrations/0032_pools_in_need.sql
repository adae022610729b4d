-- Blocks by the size of their pool, pools that a node has nothing left of, and sessions that are older than their address's range.

-- Pools that the node has no item of, and no block is to be had: others give some of theirs back.
ALTER TABLE aaa.address_node ADD COLUMN needs bigint[] NOT NULL DEFAULT '{}';

-- Of items from the first on the open sessions have been looked for that have them; only these are carved. Sessions that begin later are
-- noted as they are written.
ALTER TABLE aaa.address_range ADD COLUMN taken_up bigint NOT NULL DEFAULT 0;

-- The items of pools that sessions say they have.
CREATE VIEW aaa.session_item WITH (security_invoker = true) AS
SELECT s.id AS session_id, s.tenant_id, s.stopped_at IS NULL AS is_open, r.id AS range_id,
    network(set_masklen(v.value, r.item_length))::cidr AS address
FROM aaa.session s
CROSS JOIN LATERAL (VALUES ('ipv4', set_masklen(s.framed_ipv4, 32), 32),
    ('ipv6-prefix', set_masklen(s.framed_ipv6_prefix::inet, 128), masklen(s.framed_ipv6_prefix)),
    ('delegated-prefix', set_masklen(s.delegated_ipv6_prefix::inet, 128), masklen(s.delegated_ipv6_prefix))) v(kind, value, length)
JOIN aaa.address_range r ON r.tenant_id = s.tenant_id AND r.kind = v.kind AND r.first <= v.value AND v.value <= r.last
WHERE v.length >= r.item_length;

-- Notes the open sessions that have items of `ranges`.
CREATE FUNCTION aaa.take_up_sessions(ranges bigint[]) RETURNS void LANGUAGE sql AS $$
    SELECT aaa.note_leases(ARRAY(SELECT i.session_id FROM aaa.session_item i WHERE i.range_id = ANY (ranges) AND i.is_open))
$$;

-- Of the sessions `ids` those that say they have an item which is not noted as theirs.
CREATE FUNCTION aaa.unnoted_sessions(ids bigint[]) RETURNS SETOF bigint LANGUAGE sql STABLE AS $$
    SELECT i.session_id FROM aaa.session_item i
    LEFT JOIN aaa.address_lease l ON l.tenant_id = i.tenant_id AND l.address = i.address
    WHERE i.session_id = ANY (ids) AND NOT coalesce(i.session_id = ANY (l.sessions), false)
$$;

-- As before, and the lease is the newest one's of those that stay: who has gone gets it back from nobody.
CREATE OR REPLACE FUNCTION aaa.keep_lease(lease bigint, kept bigint[], quarantine integer) RETURNS void LANGUAGE sql AS $$
    UPDATE aaa.address_lease l SET sessions = kept, contested = l.contested AND cardinality(kept) > 1,
        subscriber_id = CASE WHEN s.id IS NULL THEN l.subscriber_id ELSE s.subscriber_id END,
        username = CASE WHEN s.id IS NULL THEN l.username ELSE s.username END,
        nas_id = CASE WHEN s.id IS NULL THEN l.nas_id ELSE s.nas_id END,
        calling_station_id = CASE WHEN s.id IS NULL THEN l.calling_station_id ELSE s.calling_station_id END,
        started_at = CASE WHEN s.id IS NULL THEN l.started_at ELSE s.started_at END,
        released_at = CASE WHEN cardinality(kept) = 0 THEN clock_timestamp() END,
        rests_until = CASE WHEN cardinality(kept) = 0 THEN clock_timestamp() + quarantine * interval '1 second' END,
        transaction_id = pg_current_xact_id()
    FROM (VALUES (1)) AS one(n) LEFT JOIN LATERAL (
        SELECT k.id, k.subscriber_id, k.username, k.nas_id, k.calling_station_id, k.started_at FROM aaa.session k
        WHERE k.id = ANY (kept) ORDER BY k.started_at DESC, k.id DESC LIMIT 1
    ) s ON true
    WHERE l.id = lease
$$;

-- Blocks by the size of their pool, pools that a node has nothing left of, and sessions that are older than their address's range.

-- Pools that the node has no item of, and no block is to be had: others give some of theirs back.
ALTER TABLE aaa.address_node ADD COLUMN needs bigint[] NOT NULL DEFAULT '{}';

ALTER TABLE aaa.address_range
    -- of items from the first on the open sessions have been looked for that have them; only these are carved. Sessions that begin later
    -- are noted as they are written
    ADD COLUMN taken_up bigint NOT NULL DEFAULT 0,
    -- when a node first saw it as long as it is; sessions are looked for once the accounting of all nodes until then is here
    ADD COLUMN seen_at timestamptz;

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

-- Those that are not noted as the session's.
CREATE VIEW aaa.unnoted_item WITH (security_invoker = true) AS
SELECT i.session_id, i.is_open, i.range_id
FROM aaa.session_item i LEFT JOIN aaa.address_lease l ON l.tenant_id = i.tenant_id AND l.address = i.address
WHERE NOT coalesce(i.session_id = ANY (l.sessions), false);

-- Notes the open sessions that have items of `ranges`, out of `most` sessions behind the one numbered `behind`. Returns the number of the
-- last that was looked at; null when there was none.
CREATE FUNCTION aaa.take_up_sessions(ranges bigint[], behind bigint, most integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    ids := ARRAY(SELECT h.id FROM aaa.session_header h WHERE h.id > behind ORDER BY h.id LIMIT most);
    PERFORM aaa.note_leases(ARRAY(
        SELECT u.session_id FROM aaa.unnoted_item u WHERE u.session_id = ANY (ids) AND u.range_id = ANY (ranges) AND u.is_open));
    RETURN ids[cardinality(ids)];
END
$$;

-- Of the sessions `ids` those that say they have an item which is not noted as theirs.
CREATE FUNCTION aaa.unnoted_sessions(ids bigint[]) RETURNS SETOF bigint LANGUAGE sql STABLE AS $$
    SELECT u.session_id FROM aaa.unnoted_item u WHERE u.session_id = ANY (ids)
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

-- As before, and a session that is noted late does not take the lease from a newer one.
CREATE OR REPLACE FUNCTION aaa.note_leases(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    held record;
    lease aaa.address_lease%ROWTYPE;
    is_same boolean;
    is_newest boolean;
    kept bigint[];
BEGIN
    FOR held IN
        SELECT s.id, s.tenant_id, s.subscriber_id, s.username, s.nas_id, s.calling_station_id AS station, s.started_at,
            s.stopped_at IS NULL AS is_open, p.id AS pool_id, p.quarantine,
            network(set_masklen(v.value, r.item_length))::cidr AS address
        FROM aaa.session s
        CROSS JOIN LATERAL (VALUES ('ipv4', set_masklen(s.framed_ipv4, 32), 32),
            ('ipv6-prefix', set_masklen(s.framed_ipv6_prefix::inet, 128), masklen(s.framed_ipv6_prefix)),
            ('delegated-prefix', set_masklen(s.delegated_ipv6_prefix::inet, 128), masklen(s.delegated_ipv6_prefix))) v(kind, value, length)
        JOIN aaa.address_range r ON r.tenant_id = s.tenant_id AND r.kind = v.kind AND r.first <= v.value AND v.value <= r.last
        JOIN aaa.address_pool p ON p.id = r.pool_id
        WHERE s.id = ANY (ids) AND v.length >= r.item_length
        ORDER BY address, s.tenant_id, s.started_at, s.id
    LOOP
        SELECT * INTO lease FROM aaa.address_lease l WHERE l.tenant_id = held.tenant_id AND l.address = held.address FOR UPDATE;
        IF NOT FOUND THEN
            INSERT INTO aaa.address_lease (tenant_id, pool_id, address, confirmed_at)
            VALUES (held.tenant_id, held.pool_id, held.address, 'epoch')
            ON CONFLICT (tenant_id, address) DO NOTHING;
            SELECT * INTO lease FROM aaa.address_lease l WHERE l.tenant_id = held.tenant_id AND l.address = held.address FOR UPDATE;
        END IF;
        IF held.is_open THEN
            CONTINUE WHEN held.id = ANY (lease.sessions);
            -- A line has one session at its router: a newer one ends the one before, whose Stop may come later or never.
            is_same := cardinality(lease.sessions) > 0 AND NOT lease.contested AND lease.nas_id = held.nas_id
                AND lease.subscriber_id IS NOT DISTINCT FROM held.subscriber_id AND lease.calling_station_id = held.station;
            IF is_same AND held.started_at < lease.started_at THEN
                CONTINUE;
            END IF;
            is_newest := cardinality(lease.sessions) = 0 OR lease.started_at IS NULL OR held.started_at >= lease.started_at;
            UPDATE aaa.address_lease l SET pool_id = held.pool_id,
                subscriber_id = CASE WHEN is_newest THEN held.subscriber_id ELSE l.subscriber_id END,
                username = CASE WHEN is_newest THEN held.username ELSE l.username END,
                nas_id = CASE WHEN is_newest THEN held.nas_id ELSE l.nas_id END,
                calling_station_id = CASE WHEN is_newest THEN held.station ELSE l.calling_station_id END,
                started_at = CASE WHEN is_newest THEN held.started_at ELSE l.started_at END,
                sessions = CASE WHEN is_same THEN ARRAY[held.id] ELSE lease.sessions || held.id END,
                contested = cardinality(lease.sessions) > 0 AND (lease.contested
                    OR lease.subscriber_id IS DISTINCT FROM held.subscriber_id OR lease.calling_station_id IS DISTINCT FROM held.station),
                confirmed_at = clock_timestamp(), released_at = NULL, rests_until = NULL, transaction_id = pg_current_xact_id()
            WHERE l.id = lease.id;
        ELSIF held.id = ANY (lease.sessions) THEN
            kept := array_remove(lease.sessions, held.id);
            PERFORM aaa.keep_lease(lease.id, kept, held.quarantine);
        ELSIF cardinality(lease.sessions) = 0 AND lease.confirmed_at < held.started_at THEN
            -- It began and ended between two notes.
            UPDATE aaa.address_lease l SET pool_id = held.pool_id, subscriber_id = held.subscriber_id, username = held.username,
                nas_id = held.nas_id, calling_station_id = held.station, started_at = held.started_at, confirmed_at = clock_timestamp()
            WHERE l.id = lease.id;
            PERFORM aaa.keep_lease(lease.id, '{}', held.quarantine);
        END IF;
    END LOOP;
END
$$;

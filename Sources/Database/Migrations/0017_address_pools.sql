-- Address pools: what subscribers get that bring no address of their own. See docs/address-pools.md.
--
-- What a session has is what accounting says it has; who may hand out what is said by blocks. Offers stand nowhere here: a node that
-- takes a block over waits until every offer of the one before must have become a session or nothing.
CREATE TABLE aaa.address_pool (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL REFERENCES tenancy.tenant,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    kind text NOT NULL CHECK (kind IN ('ipv4', 'ipv6-prefix', 'delegated-prefix')),
    -- networks, and for ipv4 also first-last; the daemon writes aaa.address_range from them
    ranges text[] NOT NULL CHECK (cardinality(ranges) BETWEEN 1 AND 1000),
    -- of one item
    prefix_length integer CHECK (prefix_length BETWEEN 1 AND 128),
    -- seconds that an item rests after a session
    quarantine integer NOT NULL DEFAULT 300 CHECK (quarantine BETWEEN 0 AND 2592000),
    -- seconds that an offer waits for its session
    offer_time integer NOT NULL DEFAULT 120 CHECK (offer_time BETWEEN 5 AND 3600),
    on_exhausted text NOT NULL DEFAULT 'reject' CHECK (on_exhausted IN ('reject', 'accept')),
    enabled boolean NOT NULL DEFAULT true,
    notes text NOT NULL DEFAULT '',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, id),
    CHECK (kind = 'ipv4' OR prefix_length IS NOT NULL),
    CHECK (kind <> 'ipv4' OR prefix_length IS NULL)
);
SELECT lastmile.protect('aaa.address_pool');

-- The ranges of a pool as addresses without a prefix length. `carved` items from the first on are in blocks.
CREATE TABLE aaa.address_range (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL REFERENCES tenancy.tenant,
    pool_id bigint NOT NULL,
    kind text NOT NULL,
    first inet NOT NULL,
    -- the last address of the last item
    last inet NOT NULL,
    item_length integer NOT NULL,
    items bigint NOT NULL CHECK (items > 0),
    carved bigint NOT NULL DEFAULT 0 CHECK (carved BETWEEN 0 AND items),
    CHECK (first <= last),
    FOREIGN KEY (tenant_id, pool_id) REFERENCES aaa.address_pool (tenant_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX address_range_first ON aaa.address_range (tenant_id, first);
CREATE INDEX address_range_pool ON aaa.address_range (pool_id);
SELECT lastmile.protect('aaa.address_range');

-- Which nodes hand out addresses. Instants are of this database's clock.
CREATE TABLE aaa.address_node (
    node_id text PRIMARY KEY,
    -- of the process; a new one takes the blocks of the one before
    incarnation bigint NOT NULL,
    -- its blocks are its own until then
    lease_until timestamptz NOT NULL,
    -- accounting that it acknowledged before is in aaa.session
    accounted_through timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON aaa.address_node TO lastmile_system;

-- Neighbouring items that one node at a time hands out.
CREATE TABLE aaa.address_block (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL,
    pool_id bigint NOT NULL,
    range_id bigint NOT NULL REFERENCES aaa.address_range ON DELETE CASCADE,
    first inet NOT NULL,
    items integer NOT NULL CHECK (items BETWEEN 1 AND 256),
    node_id text,
    -- what a former holder offered may turn out to be in use until then
    settles_at timestamptz
);
CREATE INDEX address_block_node ON aaa.address_block (node_id) WHERE node_id IS NOT NULL;
CREATE INDEX address_block_pool ON aaa.address_block (pool_id, id) WHERE node_id IS NULL;
CREATE INDEX address_block_range ON aaa.address_block (range_id);
SELECT lastmile.protect('aaa.address_block');

-- Who has an item, or had it last.
CREATE TABLE aaa.address_lease (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL,
    pool_id bigint NOT NULL REFERENCES aaa.address_pool ON DELETE CASCADE,
    address cidr NOT NULL,
    subscriber_id bigint,
    username text NOT NULL DEFAULT '',
    nas_id bigint,
    calling_station_id text,
    -- the open ones that have it; one, but for a moment or a conflict
    sessions bigint[] NOT NULL DEFAULT '{}',
    -- of the newest
    started_at timestamptz,
    -- when a session was first seen with it
    confirmed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    released_at timestamptz,
    -- nobody gets it before
    rests_until timestamptz,
    -- sessions of several lines or devices have had it at once, since it was last free
    contested boolean NOT NULL DEFAULT false,
    -- which wrote it last: nodes read what their last look could not see
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE UNIQUE INDEX address_lease_address ON aaa.address_lease (tenant_id, address);
CREATE INDEX address_lease_pool ON aaa.address_lease (pool_id, address);
CREATE INDEX address_lease_subscriber ON aaa.address_lease (subscriber_id);
CREATE INDEX address_lease_change ON aaa.address_lease (transaction_id);
SELECT lastmile.protect('aaa.address_lease');

-- As people see them.
CREATE VIEW aaa.address_lease_list WITH (security_invoker = true) AS
SELECT l.id, l.tenant_id, l.pool_id, l.address, l.subscriber_id, l.username, l.nas_id, l.calling_station_id, l.sessions[1] AS session_id,
    CASE WHEN cardinality(l.sessions) > 0 THEN CASE WHEN l.contested THEN 'conflict' ELSE 'in_use' END
        WHEN l.rests_until > now() THEN 'quarantine' ELSE 'free' END AS state,
    l.confirmed_at, l.released_at, l.rests_until
FROM aaa.address_lease l;

-- Brings the leases in line with the sessions `ids`, which the transaction has just written: open ones have what they say, closed ones
-- have let it go. Says nothing new when it is called again. To be called where sessions change; see also aaa.sweep_leases.
CREATE FUNCTION aaa.note_leases(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    held record;
    lease aaa.address_lease%ROWTYPE;
    is_same boolean;
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
            UPDATE aaa.address_lease l SET pool_id = held.pool_id, subscriber_id = held.subscriber_id, username = held.username,
                nas_id = held.nas_id, calling_station_id = held.station, started_at = held.started_at,
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

-- Leaves `kept` sessions with a lease; without any it rests.
CREATE FUNCTION aaa.keep_lease(lease bigint, kept bigint[], quarantine integer) RETURNS void LANGUAGE sql AS $$
    UPDATE aaa.address_lease SET sessions = kept, contested = contested AND cardinality(kept) > 1,
        released_at = CASE WHEN cardinality(kept) = 0 THEN clock_timestamp() END,
        rests_until = CASE WHEN cardinality(kept) = 0 THEN clock_timestamp() + quarantine * interval '1 second' END,
        transaction_id = pg_current_xact_id()
    WHERE id = lease
$$;

-- The open sessions that a lease names and that do not say that they have another address.
CREATE VIEW aaa.address_lease_session WITH (security_invoker = true) AS
SELECT l.id AS lease_id, s.id AS session_id
FROM aaa.address_lease l JOIN aaa.address_pool p ON p.id = l.pool_id JOIN aaa.session s ON s.id = ANY (l.sessions)
WHERE s.stopped_at IS NULL AND CASE p.kind
    WHEN 'ipv4' THEN coalesce(s.framed_ipv4 <<= l.address, true)
    WHEN 'ipv6-prefix' THEN coalesce(s.framed_ipv6_prefix <<= l.address, true)
    ELSE coalesce(s.delegated_ipv6_prefix <<= l.address, true) END;

-- Lets go what no open session has any more, whatever ended it. The safety net below aaa.note_leases; returns how many there were.
-- Looks without locks, and again at each lease that it has locked, by a statement of its own: only that sees the sessions of whoever
-- had the lock before. In the order of addresses, as everybody locks leases. NULL: of all routers.
CREATE FUNCTION aaa.sweep_leases(routers bigint[]) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    candidate record;
    lease record;
    kept bigint[];
    swept integer := 0;
BEGIN
    FOR candidate IN
        SELECT l.id FROM aaa.address_lease l
        WHERE cardinality(l.sessions) > 0 AND (routers IS NULL OR l.nas_id = ANY (routers))
            AND cardinality(l.sessions) > (SELECT count(*) FROM aaa.address_lease_session h WHERE h.lease_id = l.id)
        ORDER BY l.address, l.tenant_id
    LOOP
        SELECT l.sessions, p.quarantine INTO lease FROM aaa.address_lease l JOIN aaa.address_pool p ON p.id = l.pool_id
        WHERE l.id = candidate.id FOR UPDATE OF l;
        CONTINUE WHEN NOT FOUND;
        kept := ARRAY(SELECT h.session_id FROM aaa.address_lease_session h WHERE h.lease_id = candidate.id ORDER BY h.session_id);
        CONTINUE WHEN cardinality(kept) = cardinality(lease.sessions);
        PERFORM aaa.keep_lease(candidate.id, kept, lease.quarantine);
        swept := swept + 1;
    END LOOP;
    RETURN swept;
END
$$;

-- Which pools a profile's subscribers get addresses from. Not validated: the columns are empty, and who migrates may not read the rows.
ALTER TABLE aaa.profile
    ADD COLUMN pool_id bigint,
    ADD COLUMN pool6_id bigint,
    ADD COLUMN delegated_pool_id bigint,
    ADD CONSTRAINT profile_pool_fkey FOREIGN KEY (tenant_id, pool_id) REFERENCES aaa.address_pool (tenant_id, id) NOT VALID,
    ADD CONSTRAINT profile_pool6_fkey FOREIGN KEY (tenant_id, pool6_id) REFERENCES aaa.address_pool (tenant_id, id) NOT VALID,
    ADD CONSTRAINT profile_delegated_pool_fkey FOREIGN KEY (tenant_id, delegated_pool_id) REFERENCES aaa.address_pool (tenant_id, id) NOT VALID;

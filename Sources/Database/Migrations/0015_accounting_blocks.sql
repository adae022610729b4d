-- Accounting records in blocks: a row holds up to 96 records of one tenant, column by column in arrays, since a row of its own was most of
-- what a record cost PostgreSQL. Readers go on with aaa.accounting_record, now a view of the same columns.

-- The same element of every array is one record; all of a block arrived on one UTC day. Filled by COPY like accounting_record before: see
-- aaa.seal_partition.
CREATE TABLE aaa.accounting_block (
    tenant_id bigint NOT NULL CHECK (tenant_id > 0),
    node_id text NOT NULL,
    -- the earliest of received
    received_at timestamptz NOT NULL,
    -- null where none of the records belongs to a session
    lowest_session bigint,
    highest_session bigint,
    sequences bigint[] NOT NULL,
    received timestamptz[] NOT NULL,
    events timestamptz[] NOT NULL,
    nas_ids bigint[] NOT NULL,
    -- null for Accounting-On, -Off and status types without a session
    session_ids bigint[] NOT NULL,
    subscriber_ids bigint[] NOT NULL,
    statuses integer[] NOT NULL,
    session_seconds bigint[] NOT NULL,
    -- the session's totals behind the record
    upload_octets bigint[] NOT NULL,
    download_octets bigint[] NOT NULL,
    -- where a counter in it is not to be believed; such a record stands in a block of its own
    packet bytea
) PARTITION BY RANGE (received_at);

-- Neither compressed nor moved out of the row: both cost more than the records. 96 of them fit a page.
ALTER TABLE aaa.accounting_block ALTER node_id SET STORAGE PLAIN,
    ALTER sequences SET STORAGE PLAIN, ALTER received SET STORAGE PLAIN, ALTER events SET STORAGE PLAIN,
    ALTER nas_ids SET STORAGE PLAIN, ALTER session_ids SET STORAGE PLAIN, ALTER subscriber_ids SET STORAGE PLAIN,
    ALTER statuses SET STORAGE PLAIN, ALTER session_seconds SET STORAGE PLAIN, ALTER upload_octets SET STORAGE PLAIN,
    ALTER download_octets SET STORAGE PLAIN;

-- A batch is written in the order of sessions, so few of its pages can hold a given one.
CREATE INDEX accounting_block_session ON aaa.accounting_block
    USING brin (lowest_session, highest_session) WITH (pages_per_range = 2);
SELECT lastmile.protect('aaa.accounting_block');

-- As before, but for the name of the table of records.
CREATE OR REPLACE FUNCTION aaa.ensure_partitions(parent text, width text, first timestamptz, last timestamptz) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    step interval := ('1 ' || width)::interval;
    low timestamp := date_trunc(width, first AT TIME ZONE 'UTC');
    high timestamp := least(last AT TIME ZONE 'UTC', low + 400 * step);
    child text;
    made integer := 0;
BEGIN
    WHILE low <= high LOOP
        child := parent || to_char(low, CASE width WHEN 'day' THEN '"_"YYYYMMDD' ELSE '"_"YYYYMM' END);
        IF to_regclass('aaa.' || quote_ident(child)) IS NULL THEN
            PERFORM pg_advisory_xact_lock(hashtext('aaa.ensure_partitions'));
            IF to_regclass('aaa.' || quote_ident(child)) IS NULL THEN
                EXECUTE format('CREATE TABLE aaa.%I (LIKE aaa.%I INCLUDING ALL)', child, parent);
                IF parent IN ('accounting_block', 'auth_log') THEN
                    PERFORM aaa.seal_partition(('aaa.' || quote_ident(child))::regclass);
                ELSE
                    PERFORM lastmile.protect(('aaa.' || quote_ident(child))::regclass);
                END IF;
                EXECUTE format('ALTER TABLE aaa.%I ATTACH PARTITION aaa.%I FOR VALUES FROM (%L) TO (%L)',
                    parent, child, low AT TIME ZONE 'UTC', (low + step) AT TIME ZONE 'UTC');
                made := made + 1;
            END IF;
        END IF;
        low := low + step;
    END LOOP;
    RETURN made;
END
$$;

-- What is there moves day by day. A node of an older version that still ships waits for this lock, then finds its table gone and tries
-- again until it is replaced; its records stay in its journal.
LOCK TABLE aaa.accounting_record IN ACCESS EXCLUSIVE MODE;
DO $$
DECLARE
    day record;
BEGIN
    FOR day IN
        SELECT c.relname, to_timestamp(right(c.relname, 8), 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC' AS first
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'aaa.accounting_record'::regclass ORDER BY 1
    LOOP
        PERFORM aaa.ensure_partitions('accounting_block', 'day', day.first, day.first);
        SET LOCAL ROLE lastmile_system;
        INSERT INTO aaa.accounting_block
        SELECT tenant_id, node_id, min(received_at), min(session_id), max(session_id), array_agg(sequence ORDER BY place),
            array_agg(received_at ORDER BY place), array_agg(event_at ORDER BY place), array_agg(nas_id ORDER BY place),
            array_agg(session_id ORDER BY place), array_agg(subscriber_id ORDER BY place), array_agg(status ORDER BY place),
            array_agg(session_seconds ORDER BY place), array_agg(upload_octets ORDER BY place),
            array_agg(download_octets ORDER BY place), (array_agg(packet))[1]
        FROM (
            SELECT *, row_number() OVER (
                PARTITION BY tenant_id, node_id, packet IS NULL ORDER BY session_id, sequence, received_at) - 1 AS place
            FROM aaa.accounting_record WHERE received_at >= day.first AND received_at < day.first + interval '24 hours'
        ) r
        GROUP BY tenant_id, node_id, packet IS NULL, CASE WHEN packet IS NULL THEN place / 96 ELSE place END
        ORDER BY tenant_id, min(session_id);
        RESET ROLE;
        PERFORM brin_summarize_new_values(indexrelid) FROM pg_index
        WHERE indrelid = to_regclass('aaa.accounting_block_' || right(day.relname, 8));
    END LOOP;
END
$$;

-- Each record with what finds its block: block_received_at for the partition, lowest_session and highest_session for the index.
CREATE VIEW aaa.accounting_block_record WITH (security_invoker = true) AS
SELECT b.tenant_id, b.node_id, b.sequences[n] AS sequence, b.received[n] AS received_at, b.events[n] AS event_at, b.nas_ids[n] AS nas_id,
    b.session_ids[n] AS session_id, b.subscriber_ids[n] AS subscriber_id, b.statuses[n] AS status,
    b.session_seconds[n] AS session_seconds, b.upload_octets[n] AS upload_octets, b.download_octets[n] AS download_octets, b.packet,
    b.received_at AS block_received_at, b.lowest_session, b.highest_session
FROM aaa.accounting_block b CROSS JOIN LATERAL generate_subscripts(b.sequences, 1) AS n;

ALTER TABLE aaa.accounting_record RENAME TO accounting_record_before_blocks;
CREATE VIEW aaa.accounting_record WITH (security_invoker = true) AS
SELECT tenant_id, node_id, sequence, received_at, event_at, nas_id, session_id, subscriber_id, status, session_seconds, upload_octets,
    download_octets, packet
FROM aaa.accounting_block_record;

-- Who was allowed to read the table reads the view, and what is beneath it.
DO $$
DECLARE
    reader text;
BEGIN
    FOR reader IN
        SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.oid = 'aaa.accounting_record_before_blocks'::regclass AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner
    LOOP
        EXECUTE format('GRANT SELECT ON aaa.accounting_record, aaa.accounting_block_record, aaa.accounting_block TO %s', reader);
    END LOOP;
END
$$;
DROP TABLE aaa.accounting_record_before_blocks;

-- The records of one session, of all time or of those received between two instants, both included. Reads the blocks whose range of
-- sessions has it; since PostgreSQL underrates what that leaves out, it may not read the whole table instead, nor compile for it.
CREATE FUNCTION aaa.records_of_session(session bigint, first timestamptz DEFAULT '-infinity', last timestamptz DEFAULT 'infinity')
RETURNS SETOF aaa.accounting_record LANGUAGE sql STABLE SET enable_seqscan = off SET jit = off AS $$
    SELECT tenant_id, node_id, sequence, received_at, event_at, nas_id, session_id, subscriber_id, status, session_seconds, upload_octets,
        download_octets, packet
    FROM aaa.accounting_block_record
    WHERE session_id = session AND lowest_session <= session AND highest_session >= session AND received_at BETWEEN first AND last
        AND block_received_at BETWEEN (date_trunc('day', first AT TIME ZONE 'UTC') AT TIME ZONE 'UTC') AND last
    ORDER BY received_at, node_id, sequence
$$;

-- The records received between two instants, both included, from their days alone: the view's own received_at leaves out no partition.
CREATE FUNCTION aaa.records_received(first timestamptz, last timestamptz) RETURNS SETOF aaa.accounting_record LANGUAGE sql STABLE AS $$
    SELECT tenant_id, node_id, sequence, received_at, event_at, nas_id, session_id, subscriber_id, status, session_seconds, upload_octets,
        download_octets, packet
    FROM aaa.accounting_block_record
    WHERE received_at BETWEEN first AND last
        AND block_received_at BETWEEN (date_trunc('day', first AT TIME ZONE 'UTC') AT TIME ZONE 'UTC') AND last
$$;

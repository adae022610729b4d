-- Accounting in bulk: the daemon writes records and log-ins by COPY straight into the partition of their day.
--
-- COPY is refused on a table under row-level security. So these partitions carry none, and instead nobody may read or change them by
-- their own names, their owner included: lastmile_system may INSERT, and that is all. Rows are read through the parent, whose policies
-- hold as before (a query is checked against the table that it names).

-- Takes a partition of a protected parent out of row-level security and closes its own name.
CREATE FUNCTION aaa.seal_partition(child regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, lastmile_system, %I', child, (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = child));
    EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', child);
    EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', child);
    EXECUTE format('DROP POLICY IF EXISTS tenant_isolation ON %s', child);
    EXECUTE format('DROP POLICY IF EXISTS system_access ON %s', child);
    EXECUTE format('GRANT INSERT ON %s TO lastmile_system', child);
END
$$;

-- As before, but partitions that are filled by COPY are sealed.
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
                IF parent IN ('accounting_record', 'auth_log') THEN
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

-- The packet, where a counter in it is not to be believed: its totals leave that counter out.
ALTER TABLE aaa.accounting_record ADD COLUMN packet bytea;

SELECT aaa.seal_partition(i.inhrelid::regclass) FROM pg_inherits i
WHERE i.inhparent IN ('aaa.accounting_record'::regclass, 'aaa.auth_log'::regclass);

-- A session's records lie close together in time: its number alone finds them, and equal numbers share one entry of the index.
DROP INDEX aaa.accounting_record_session;
CREATE INDEX accounting_record_session ON aaa.accounting_record (session_id);

-- Neighbours in this table began together, so their routers report them together: a page must have room for all of its rows once more,
-- or the new versions lie elsewhere and every index learns of it. Only new pages are filled so.
ALTER TABLE aaa.session SET (fillfactor = 50);

-- The shipper's temporary tables.
DO $$
BEGIN
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO lastmile_system', current_database());
EXCEPTION
    WHEN insufficient_privilege THEN NULL;  -- of another owner: PUBLIC has it, unless somebody took it away
END
$$;

-- Rows that are past their time are found without reading the table: they lie in the order of time.
CREATE INDEX usage_day_age ON aaa.usage_day USING brin (day) WITH (autosummarize = on);
CREATE INDEX accounting_reject_age ON aaa.accounting_reject USING brin (created_at) WITH (autosummarize = on);
CREATE INDEX dynamic_authorization_age ON aaa.dynamic_authorization USING brin (requested_at) WITH (autosummarize = on);
CREATE INDEX audit_age ON lastmile.audit USING brin (at) WITH (autosummarize = on);

-- The audit stays append-only for 90 days, whoever asks; what is older the daemon may remove by its setting.
CREATE FUNCTION lastmile.refuse_early_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.at > now() - interval '90 days' THEN
        RAISE EXCEPTION '% keeps its rows for 90 days', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN OLD;
END $$;
DROP TRIGGER append_only ON lastmile.audit;
CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON lastmile.audit
    FOR EACH STATEMENT EXECUTE FUNCTION lastmile.refuse_change();
CREATE TRIGGER early_removal BEFORE DELETE ON lastmile.audit
    FOR EACH ROW EXECUTE FUNCTION lastmile.refuse_early_removal();
GRANT DELETE ON lastmile.audit TO lastmile_system;

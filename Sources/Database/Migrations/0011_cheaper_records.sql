-- Less work in PostgreSQL for a record of accounting.

-- Sessions are vacuumed and analyzed less often. Versions that updates leave behind are cleared page by page as the page is written
-- again, and the statements that matter look rows up by their keys whatever the statistics say: at two parts in a hundred a busy
-- table was read every minute for nothing.
ALTER TABLE aaa.session SET (autovacuum_vacuum_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.1);

-- A number of this sequence stands for itself and the 999 behind it: the shippers ask once for so many sessions.
ALTER SEQUENCE aaa.session_id_seq INCREMENT BY 1000 CACHE 1;

-- The records of one session are seldom asked for and a day's are never changed: a filter for each half megabyte of the table, a hundredth
-- of its size, instead of an index entry for each record. 64 pages hold some 3,000 records.
DROP INDEX aaa.accounting_record_session;
CREATE INDEX accounting_record_session ON aaa.accounting_record
    USING brin (session_id int8_bloom_ops (n_distinct_per_range = 3500, false_positive_rate = 0.01)) WITH (pages_per_range = 64);

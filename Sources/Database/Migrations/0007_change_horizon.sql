-- When changes may go. Rows of aaa.change are kept for a day after their transaction ended, however long it was open: every hour a
-- node notes the oldest transaction that is still open; a day later everything before it is deleted, and the note says so. A node
-- whose last look is older than that note has missed something and reads everything anew.
CREATE TABLE aaa.change_horizon (
    transaction_id xid8 PRIMARY KEY,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    pruned boolean NOT NULL DEFAULT false
);
GRANT SELECT, INSERT, UPDATE, DELETE ON aaa.change_horizon TO lastmile_system;

-- How many Access-Requests of a NAS a node looks at in a second. Null: as radius.client_rate_limit of the configuration says; 0: no limit.
ALTER TABLE aaa.nas
    ADD COLUMN rate_limit_per_second integer CHECK (rate_limit_per_second BETWEEN 0 AND 1000000);

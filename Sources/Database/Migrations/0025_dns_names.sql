-- NAS and home servers whose addresses DNS knows: a node looks the names up and keeps address as they say. Null: address stays as it was given.
ALTER TABLE aaa.nas
    ADD COLUMN dns_name text CHECK (octet_length(dns_name) BETWEEN 1 AND 253),
    -- why the last look-up brought nothing; the address of before stays in force
    ADD COLUMN dns_error text,
    -- null until the name was looked up
    ALTER COLUMN address DROP NOT NULL,
    ADD CONSTRAINT nas_located CHECK (address IS NOT NULL OR dns_name IS NOT NULL);
-- Any number may wait for their addresses.
DROP INDEX aaa.nas_address_key;
CREATE UNIQUE INDEX nas_address_key ON aaa.nas (address, nas_identifier) NULLS NOT DISTINCT WHERE address IS NOT NULL;
CREATE INDEX nas_dns_name_idx ON aaa.nas (id) WHERE dns_name IS NOT NULL;

ALTER TABLE aaa.home_server
    ADD COLUMN dns_name text CHECK (octet_length(dns_name) BETWEEN 1 AND 253),
    ADD COLUMN dns_error text,
    ALTER COLUMN address DROP NOT NULL,
    ADD CONSTRAINT home_server_located CHECK (address IS NOT NULL OR dns_name IS NOT NULL);
CREATE INDEX home_server_dns_name_idx ON aaa.home_server (id) WHERE dns_name IS NOT NULL;

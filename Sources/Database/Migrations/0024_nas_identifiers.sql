-- The NAS-Identifier that all packets of a NAS have, by which several at one address are told apart. Null: whatever no other there has.
ALTER TABLE aaa.nas ADD COLUMN nas_identifier text CHECK (octet_length(nas_identifier) BETWEEN 1 AND 253);
-- A packet is known by its source address and its NAS-Identifier alone, whatever the tenant.
DROP INDEX aaa.nas_address_key;
CREATE UNIQUE INDEX nas_address_key ON aaa.nas (address, nas_identifier) NULLS NOT DISTINCT;

-- The group of NAS that one is of; policy rules ask for it as nas.huntgroup. Null for none.
ALTER TABLE aaa.nas ADD COLUMN huntgroup text CHECK (octet_length(huntgroup) BETWEEN 1 AND 64);

-- Logins for which a policy rule holds go to the home servers of this realm, whatever their names: see docs/policy.md. Null: they do not.
-- Not validated: the column is empty, and who migrates may not read the rows.
ALTER TABLE aaa.policy_rule
    ADD COLUMN forward_to_id bigint,
    ADD CONSTRAINT policy_rule_forward_to_id_fkey FOREIGN KEY (tenant_id, forward_to_id) REFERENCES aaa.realm (tenant_id, id) NOT VALID;
CREATE INDEX policy_rule_forward_to ON aaa.policy_rule (forward_to_id);

-- A realm of the kind rule takes no name by itself; only policy rules choose it. There may be many.
ALTER TABLE aaa.realm
    DROP CONSTRAINT realm_kind_check,
    DROP CONSTRAINT realm_check,
    ADD CONSTRAINT realm_kind_check CHECK (kind IN ('suffix', 'prefix', 'pattern', 'null', 'default', 'rule')),
    ADD CONSTRAINT realm_check CHECK (octet_length(realm) <= 253 AND (realm = '') = (kind IN ('null', 'default', 'rule')));
DROP INDEX aaa.realm_text_key;
CREATE UNIQUE INDEX realm_text_key ON aaa.realm (tenant_id, kind, lower(realm)) WHERE kind <> 'rule';

-- The versions of TLS that methods of EAP may have where a policy rule holds: see docs/policy.md. Empty: the rule says nothing of them. The
-- daemon checks the words before it stores a rule.
ALTER TABLE aaa.policy_rule ADD COLUMN tls_versions text[] NOT NULL DEFAULT '{}';

-- Attributes that stand in the place of what forwarded packets have of them, each as 'Name = value': see docs/proxy.md.
ALTER TABLE aaa.realm
    ADD COLUMN request_set text[] NOT NULL DEFAULT '{}',
    ADD COLUMN reply_set text[] NOT NULL DEFAULT '{}';

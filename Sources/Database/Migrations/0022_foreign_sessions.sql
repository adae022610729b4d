-- Sessions of users that are no subscribers here, whose log-ins home servers answer: their CoA finds them by these. Those of subscribers
-- have no entry, so that their accounting pays nothing.
CREATE INDEX session_foreign_id ON aaa.session_header (tenant_id, acct_session_id) WHERE subscriber_id IS NULL;
CREATE INDEX session_foreign_user ON aaa.session_header (tenant_id, lower(username)) WHERE subscriber_id IS NULL;

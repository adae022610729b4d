-- A log-in that no home server answered and that was answered nothing either, which no hook is told of.
ALTER TABLE aaa.auth_log
    DROP CONSTRAINT auth_log_outcome_check,
    ADD CONSTRAINT auth_log_outcome_check CHECK (outcome IN ('accept', 'reject', 'challenge', 'silence'));

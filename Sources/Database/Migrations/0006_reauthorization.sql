-- Suspending somebody is two acts: what the next log-in is told, and what becomes of the session that runs. A change that alters what
-- a subscriber may do leaves a row here, in the same transaction; a node brings the running sessions into line and deletes it.
CREATE TABLE aaa.reauthorization (
    subscriber_id bigint PRIMARY KEY,
    tenant_id bigint NOT NULL REFERENCES tenancy.tenant,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts integer NOT NULL DEFAULT 0
);
CREATE INDEX reauthorization_due ON aaa.reauthorization (due_at);
SELECT lastmile.protect('aaa.reauthorization');

-- Argument: the column that names the subscriber.
CREATE FUNCTION aaa.request_reauthorization() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    subject jsonb := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
BEGIN
    INSERT INTO aaa.reauthorization (subscriber_id, tenant_id)
    VALUES ((subject ->> TG_ARGV[0])::bigint, (subject ->> 'tenant_id')::bigint)
    ON CONFLICT (subscriber_id) DO UPDATE SET requested_at = clock_timestamp(), due_at = clock_timestamp(), attempts = 0;
    RETURN NULL;
END $$;

CREATE TRIGGER reauthorize AFTER INSERT OR DELETE ON aaa.access_lock
    FOR EACH ROW EXECUTE FUNCTION aaa.request_reauthorization('subscriber_id');
CREATE TRIGGER reauthorize_level AFTER UPDATE OF level ON aaa.access_lock
    FOR EACH ROW WHEN (OLD.level <> NEW.level) EXECUTE FUNCTION aaa.request_reauthorization('subscriber_id');
CREATE TRIGGER reauthorize_change AFTER UPDATE OF status, profile_id ON aaa.subscriber
    FOR EACH ROW WHEN (OLD.status <> NEW.status OR OLD.profile_id IS DISTINCT FROM NEW.profile_id)
    EXECUTE FUNCTION aaa.request_reauthorization('id');
CREATE TRIGGER reauthorize_removal AFTER DELETE ON aaa.subscriber
    FOR EACH ROW EXECUTE FUNCTION aaa.request_reauthorization('id');

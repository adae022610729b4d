-- Ends of subscribers' time that are set while they are online, and validities that begin a second time. See decision 78.

-- Those who had begun a validity and had no end left were online for ever. Theirs begins with the next log-in, too.
SET LOCAL ROLE lastmile_system;
UPDATE aaa.subscriber SET activated_at = NULL, version = version + 1, updated_at = now()
WHERE validity IS NOT NULL AND activated_at IS NOT NULL AND expires_at IS NULL;
RESET ROLE;

-- Another validity, or none of the ends that it had, begins anew with the next log-in. The end that the first one set goes with it.
CREATE FUNCTION aaa.begin_validity_anew() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.expires_at = OLD.expires_at AND OLD.expires_at = OLD.activated_at + OLD.validity * interval '1 second' THEN
        NEW.expires_at := NULL;
    END IF;
    NEW.activated_at := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER begin_validity_anew BEFORE UPDATE OF validity, expires_at ON aaa.subscriber
    FOR EACH ROW WHEN (
        NEW.validity IS NOT NULL AND OLD.activated_at = NEW.activated_at
        AND (OLD.validity IS DISTINCT FROM NEW.validity OR OLD.expires_at IS NOT NULL AND NEW.expires_at IS NULL))
    EXECUTE FUNCTION aaa.begin_validity_anew();

-- The request waits, or waited, for the end of its subscriber's time. Many may come at one instant, so they stand behind what is asked now.
ALTER TABLE aaa.reauthorization ADD COLUMN is_of_end boolean NOT NULL DEFAULT false;
DROP INDEX aaa.reauthorization_due;
CREATE INDEX reauthorization_due ON aaa.reauthorization (is_of_limit, is_of_end, due_at);

-- As before, and what is asked now is no end. Argument: the column that names the subscriber.
CREATE OR REPLACE FUNCTION aaa.request_reauthorization() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    subject jsonb := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
BEGIN
    INSERT INTO aaa.reauthorization (subscriber_id, tenant_id)
    VALUES ((subject ->> TG_ARGV[0])::bigint, (subject ->> 'tenant_id')::bigint)
    ON CONFLICT (subscriber_id, is_of_limit) DO UPDATE
        SET requested_at = clock_timestamp(), due_at = clock_timestamp(), attempts = 0, passed_by = '{}', is_of_end = false;
    RETURN NULL;
END $$;

-- A session knows by its Session-Timeout the end that its subscriber had at the log-in. One that is set later is seen to when it comes, by
-- a request of then; until then nothing is sent, since not every NAS takes a change without a new log-in. What asks for more meanwhile
-- takes the request's place, and the Reauthorizer leaves a new one behind. Whether the end has come is decided by a node's clock, so the
-- request is due a little later by this one; the Reauthorizer sees to larger differences.
CREATE FUNCTION aaa.request_at_expiry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    waits boolean := NEW.expires_at > clock_timestamp();
    due timestamptz := CASE WHEN waits THEN NEW.expires_at + interval '2 seconds' ELSE clock_timestamp() END;
BEGIN
    DELETE FROM aaa.reauthorization r WHERE r.subscriber_id = NEW.id AND NOT r.is_of_limit AND r.requested_at > clock_timestamp();
    INSERT INTO aaa.reauthorization AS r (subscriber_id, tenant_id, requested_at, due_at, is_of_end)
    SELECT NEW.id, NEW.tenant_id, due, due, waits WHERE isfinite(NEW.expires_at)
    ON CONFLICT (subscriber_id, is_of_limit) DO UPDATE
        SET requested_at = excluded.requested_at, due_at = excluded.due_at, attempts = 0, passed_by = '{}', is_of_end = excluded.is_of_end
        WHERE NOT excluded.is_of_end OR r.requested_at > clock_timestamp();
    RETURN NULL;
END $$;
-- Not the end that the first log-in sets: its session has it.
CREATE TRIGGER reauthorize_expiry AFTER UPDATE OF expires_at, validity ON aaa.subscriber
    FOR EACH ROW WHEN (
        OLD.expires_at IS DISTINCT FROM NEW.expires_at AND (OLD.activated_at IS NOT NULL OR NEW.activated_at IS NULL))
    EXECUTE FUNCTION aaa.request_at_expiry();

-- Ends of subscribers' time that are set while they are online, and validities that begin a second time. See decision 78.

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

-- A session knows by its Session-Timeout the end that its subscriber had at the log-in. One that is set later is seen to when it comes, by
-- a request of then; until then nothing is sent, since not every NAS takes a change without a new log-in. What asks for more meanwhile
-- takes the request's place, and the Reauthorizer leaves a new one behind.
CREATE FUNCTION aaa.request_at_expiry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM aaa.reauthorization r WHERE r.subscriber_id = NEW.id AND NOT r.is_of_limit AND r.requested_at > clock_timestamp();
    INSERT INTO aaa.reauthorization AS r (subscriber_id, tenant_id, requested_at, due_at)
    SELECT NEW.id, NEW.tenant_id, e.at, e.at
    FROM (SELECT greatest(NEW.expires_at, clock_timestamp()) AS at WHERE isfinite(NEW.expires_at)) e
    ON CONFLICT (subscriber_id, is_of_limit) DO UPDATE
        SET requested_at = excluded.requested_at, due_at = excluded.due_at, attempts = 0, passed_by = '{}'
        WHERE excluded.requested_at <= clock_timestamp() OR r.requested_at > clock_timestamp();
    RETURN NULL;
END $$;
-- Not the end that the first log-in sets: its session has it.
CREATE TRIGGER reauthorize_expiry AFTER UPDATE OF expires_at, validity ON aaa.subscriber
    FOR EACH ROW WHEN (
        OLD.expires_at IS DISTINCT FROM NEW.expires_at AND (OLD.activated_at IS NOT NULL OR NEW.activated_at IS NULL))
    EXECUTE FUNCTION aaa.request_at_expiry();

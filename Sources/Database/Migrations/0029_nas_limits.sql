-- Quotas that NASes keep by themselves: what is left of a quota that takes the service away goes into Access-Accept and CoA-Request,
-- so that a session ends where nobody counts it. See docs/quotas.md.

ALTER TABLE aaa.quota
    ADD COLUMN nas_limits boolean NOT NULL DEFAULT false,
    -- of the octets at which the service ends: so much more is allowed at the NAS, which is to come second
    ADD COLUMN nas_margin_percent integer NOT NULL DEFAULT 10 CHECK (nas_margin_percent BETWEEN 1 AND 100);

-- Written by aaa.limit_sessions.
ALTER TABLE aaa.quota_state
    -- what may be used in the window, the margin included; null: NASes are told nothing
    ADD COLUMN nas_limit bigint,
    -- what is used of it, up to the next whole step
    ADD COLUMN nas_taken bigint NOT NULL DEFAULT 0,
    -- the end of the window, or of a top-up before that
    ADD COLUMN nas_until timestamptz,
    -- what is left from then on as far as is known before, the margin included, and when that ends
    ADD COLUMN nas_later bigint,
    ADD COLUMN nas_later_until timestamptz,
    ADD COLUMN nas_direction text;

-- Brings what NASes are told to what aaa.settle_quota has found. In steps of half a margin, so that a session is told what is left and half
-- a margin at least, one margin at most, and the snapshots follow usage a few times in a window instead of with each record.
CREATE FUNCTION aaa.limit_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    asked record;
    bar bigint;
    margin bigint;
    step bigint;
BEGIN
    NEW.nas_limit := NULL;
    NEW.nas_taken := 0;
    NEW.nas_until := NULL;
    NEW.nas_later := NULL;
    NEW.nas_later_until := NULL;
    NEW.nas_direction := NULL;
    -- A log-in that the operator allows although all is used is told nothing; a session that runs keeps what it was told before.
    IF NEW.quota_version = 0 OR NEW.action IN ('captive', 'block') THEN
        RETURN NEW;
    END IF;
    SELECT q.direction, q.period, q.nas_margin_percent AS margin_percent, aaa.day_start(w.end_day, t.time_zone) AS next_end, (
        SELECT min(h.percent) FROM aaa.quota_threshold h WHERE h.quota_id = q.id AND h.action IN ('captive', 'block')) AS percent
    INTO asked
    FROM aaa.quota q
    JOIN tenancy.tenant t ON t.id = q.tenant_id
    JOIN aaa.subscriber u ON u.id = NEW.subscriber_id AND u.tenant_id = q.tenant_id
    CROSS JOIN LATERAL aaa.quota_window(q.period, q.first_weekday, coalesce(u.billing_day, q.anchor_day), q.days, NEW.end_day) w
    WHERE q.id = NEW.quota_id AND q.tenant_id = NEW.tenant_id AND q.nas_limits;
    IF asked.percent IS NULL THEN
        RETURN NEW;
    END IF;
    bar := aaa.saturated(ceil(NEW.limit_octets::numeric * asked.percent / 100));
    margin := ceil(bar::numeric * asked.margin_percent / 100)::bigint;
    step := greatest(1, margin / 2);
    NEW.nas_limit := aaa.saturated(bar::numeric + margin);
    -- What may belong to another window restricts nobody.
    NEW.nas_taken := aaa.saturated((greatest(0, NEW.used_octets - NEW.estimated_octets) / step + 1)::numeric * step);
    NEW.nas_until := NEW.due_at;
    NEW.nas_direction := asked.direction;
    NEW.next_octets := least(NEW.next_octets, aaa.saturated(NEW.nas_taken::numeric + NEW.estimated_octets));
    IF NEW.nas_until < NEW.window_end THEN
        -- What the end of a top-up leaves is known when it is counted.
        NEW.nas_later := NEW.nas_limit - NEW.nas_taken;
        NEW.nas_later_until := NEW.window_end;
        RETURN NEW;
    END IF;
    NEW.nas_later_until := asked.next_end;
    IF asked.period = 'rolling' THEN
        -- Of what is used, only the oldest day leaves.
        NEW.nas_later := least(NEW.nas_limit, aaa.saturated(NEW.nas_limit::numeric - NEW.nas_taken + coalesce((
            SELECT aaa.counted(asked.direction, d.upload_octets - d.estimated_upload, d.download_octets - d.estimated_download)
            FROM aaa.quota_day d WHERE d.subscriber_id = NEW.subscriber_id AND d.day = NEW.first_day), 0)));
    ELSE
        -- What top-ups paid for in this window is used up.
        bar := aaa.saturated(ceil((NEW.limit_octets - NEW.covered_octets)::numeric * asked.percent / 100));
        NEW.nas_later := aaa.saturated(bar::numeric + ceil(bar::numeric * asked.margin_percent / 100));
    END IF;
    RETURN NEW;
END
$$;
-- Each settling sets next_octets, and nothing else does.
CREATE TRIGGER limit_sessions BEFORE UPDATE OF next_octets ON aaa.quota_state
    FOR EACH ROW EXECUTE FUNCTION aaa.limit_sessions();

-- Another nas_later alone is none: while top-ups are used it falls with each record. It comes along with the next step.
CREATE TRIGGER changed_limit AFTER UPDATE OF next_octets ON aaa.quota_state
    FOR EACH ROW WHEN (
        (OLD.nas_limit, OLD.nas_taken, OLD.nas_until, OLD.nas_later_until, OLD.nas_direction)
        IS DISTINCT FROM (NEW.nas_limit, NEW.nas_taken, NEW.nas_until, NEW.nas_later_until, NEW.nas_direction))
    EXECUTE FUNCTION aaa.record_change('subscriber', 'subscriber_id');
CREATE TRIGGER changed_limit_removal AFTER DELETE ON aaa.quota_state
    FOR EACH ROW WHEN (OLD.nas_limit IS NOT NULL) EXECUTE FUNCTION aaa.record_change('subscriber', 'subscriber_id');

-- MARK: Running sessions

-- The request is only about what is left of a quota: where the NAS takes no such thing, the session is left alone. Beside one that asks
-- for everything it stands as a row of its own, and behind all of those.
ALTER TABLE aaa.reauthorization ADD COLUMN is_of_limit boolean NOT NULL DEFAULT false;
ALTER TABLE aaa.reauthorization DROP CONSTRAINT reauthorization_pkey, ADD PRIMARY KEY (subscriber_id, is_of_limit);
DROP INDEX aaa.reauthorization_due;
CREATE INDEX reauthorization_due ON aaa.reauthorization (is_of_limit, due_at);
-- The processes that have no connection to a NAS of it, so that the others look first; each names itself by a number.
ALTER TABLE aaa.reauthorization ADD COLUMN passed_by bigint[] NOT NULL DEFAULT '{}';

-- Argument: the column that names the subscriber.
CREATE OR REPLACE FUNCTION aaa.request_reauthorization() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    subject jsonb := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
BEGIN
    INSERT INTO aaa.reauthorization (subscriber_id, tenant_id)
    VALUES ((subject ->> TG_ARGV[0])::bigint, (subject ->> 'tenant_id')::bigint)
    ON CONFLICT (subscriber_id, is_of_limit) DO UPDATE
        SET requested_at = clock_timestamp(), due_at = clock_timestamp(), attempts = 0, passed_by = '{}';
    RETURN NULL;
END $$;

-- Of sessions at makes whose running sessions take another limit (VolumeAttribute.isTakenByCoA).
CREATE FUNCTION aaa.request_limit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO aaa.reauthorization (subscriber_id, tenant_id, is_of_limit)
    SELECT NEW.subscriber_id, NEW.tenant_id, true
    WHERE EXISTS (
        SELECT FROM aaa.session o JOIN aaa.nas n ON n.id = o.nas_id AND n.tenant_id = o.tenant_id
        WHERE o.subscriber_id = NEW.subscriber_id AND o.tenant_id = NEW.tenant_id AND o.stopped_at IS NULL AND lower(n.vendor) = 'mikrotik')
    ON CONFLICT (subscriber_id, is_of_limit) DO UPDATE
        SET requested_at = clock_timestamp(), due_at = clock_timestamp(), attempts = 0, passed_by = '{}';
    RETURN NULL;
END $$;
-- Not when something was used: the NAS has counted that itself.
CREATE TRIGGER renew_limit AFTER UPDATE OF next_octets ON aaa.quota_state
    FOR EACH ROW WHEN (
        NEW.nas_limit IS NOT NULL
        AND (OLD.nas_limit, OLD.first_day, OLD.nas_direction) IS DISTINCT FROM (NEW.nas_limit, NEW.first_day, NEW.nas_direction))
    EXECUTE FUNCTION aaa.request_limit();

-- MARK: The first log-in

-- A state begins with the first record of accounting, which is too late for the Access-Accept before it. So whoever has a quota that NASes
-- keep gets one at once.
CREATE FUNCTION aaa.review_made_subscribers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO aaa.quota_review (tenant_id, kind, key)
    SELECT m.tenant_id, 'subscriber', m.id
    FROM made m
    LEFT JOIN aaa.profile p ON p.id = m.profile_id AND p.tenant_id = m.tenant_id
    JOIN aaa.quota q ON q.id = coalesce(m.quota_id, p.quota_id) AND q.tenant_id = m.tenant_id
    WHERE q.nas_limits AND q.enabled;
    RETURN NULL;
END $$;
CREATE TRIGGER review_made AFTER INSERT ON aaa.subscriber REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION aaa.review_made_subscribers();

-- Takes the oldest `most` reviews and makes the states due that they name. Returns whom to settle who has none yet: those that a review
-- names itself. Others without one, of a profile or quota, are reviewed later one by one, where they are online or NASes keep the quota.
CREATE OR REPLACE FUNCTION aaa.review_quotas(most integer, OUT reviewed integer, OUT fresh bigint[]) LANGUAGE sql AS $$
    WITH gone AS (
        DELETE FROM aaa.quota_review WHERE id IN (SELECT id FROM aaa.quota_review ORDER BY id LIMIT most) RETURNING tenant_id, kind, key
    ), named AS (
        SELECT tenant_id, key AS subscriber_id, true AS is_alone FROM gone WHERE kind = 'subscriber'
        UNION SELECT u.tenant_id, u.id, false
        FROM gone g JOIN aaa.subscriber u ON u.profile_id = g.key AND u.tenant_id = g.tenant_id WHERE g.kind = 'profile'
        UNION SELECT u.tenant_id, u.id, false
        FROM gone g JOIN aaa.subscriber u ON u.quota_id = g.key AND u.tenant_id = g.tenant_id WHERE g.kind = 'quota'
        UNION SELECT u.tenant_id, u.id, false
        FROM gone g JOIN aaa.profile p ON p.quota_id = g.key AND p.tenant_id = g.tenant_id
        JOIN aaa.subscriber u ON u.profile_id = p.id AND u.tenant_id = p.tenant_id WHERE g.kind = 'quota'
        UNION SELECT s.tenant_id, s.subscriber_id, false
        FROM gone g JOIN aaa.quota_state s ON s.tenant_id = g.tenant_id WHERE g.kind = 'tenant'
    ), known AS (
        UPDATE aaa.quota_state s SET due_at = '-infinity' FROM named n
        WHERE s.subscriber_id = n.subscriber_id AND s.tenant_id = n.tenant_id
    ), unknown AS (
        SELECT n.* FROM named n WHERE NOT EXISTS (SELECT FROM aaa.quota_state s WHERE s.subscriber_id = n.subscriber_id)
    ), later AS (
        INSERT INTO aaa.quota_review (tenant_id, kind, key)
        SELECT n.tenant_id, 'subscriber', n.subscriber_id FROM unknown n
        WHERE NOT n.is_alone AND (
            EXISTS (
                SELECT FROM aaa.session o
                WHERE o.subscriber_id = n.subscriber_id AND o.tenant_id = n.tenant_id AND o.stopped_at IS NULL)
            OR EXISTS (
                SELECT FROM aaa.subscriber u
                LEFT JOIN aaa.profile p ON p.id = u.profile_id AND p.tenant_id = u.tenant_id
                JOIN aaa.quota q ON q.id = coalesce(u.quota_id, p.quota_id) AND q.tenant_id = u.tenant_id
                WHERE u.id = n.subscriber_id AND q.nas_limits AND q.enabled))
    )
    SELECT (SELECT count(*)::integer FROM gone), ARRAY(SELECT subscriber_id FROM unknown WHERE is_alone)
$$;

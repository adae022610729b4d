-- Quotas and fair use: what a subscriber may use in a window, and what happens at which share of it. See docs/quotas.md.
--
-- The shippers only queue what sessions grew by (aaa.quota_delta), in the transaction that stores the growth. One node at a time takes
-- the queue, counts, and acts (aaa.take_quota_usage, aaa.settle_quota), so that counting cannot hold up accounting, and a crash between
-- the two loses and repeats nothing.

ALTER TABLE aaa.access_lock DROP CONSTRAINT access_lock_reason_check;
ALTER TABLE aaa.access_lock ADD CONSTRAINT access_lock_reason_check
    CHECK (reason IN ('overdue', 'prepaid', 'fair_use', 'customer_hold', 'admin', 'fraud', 'system', 'quota'));

CREATE TABLE aaa.quota (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL REFERENCES tenancy.tenant,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    octets bigint NOT NULL CHECK (octets BETWEEN 1 AND 1000000000000000000),
    direction text NOT NULL DEFAULT 'both' CHECK (direction IN ('both', 'download', 'upload')),
    period text NOT NULL DEFAULT 'month' CHECK (period IN ('day', 'week', 'month', 'cycle', 'rolling')),
    -- of a week: 1 is Monday (ISO 8601)
    first_weekday integer NOT NULL DEFAULT 1 CHECK (first_weekday BETWEEN 1 AND 7),
    -- of a cycle, where the subscriber has no billing_day: shorter months begin it on their last day
    anchor_day integer NOT NULL DEFAULT 1 CHECK (anchor_day BETWEEN 1 AND 31),
    -- of a rolling window, today included
    days integer NOT NULL DEFAULT 30 CHECK (days BETWEEN 1 AND 366),
    enabled boolean NOT NULL DEFAULT true,
    notes text NOT NULL DEFAULT '',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, id)
);
SELECT lastmile.protect('aaa.quota');

-- What happens at a share of the quota. The most severe one that was reached holds: block, captive, throttle.
CREATE TABLE aaa.quota_threshold (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL REFERENCES tenancy.tenant,
    quota_id bigint NOT NULL,
    percent integer NOT NULL CHECK (percent BETWEEN 1 AND 1000),
    action text NOT NULL CHECK (action IN ('notify', 'throttle', 'captive', 'block')),
    -- of a throttle: answered instead of the subscriber's own
    profile_id bigint,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, quota_id, percent, action),
    FOREIGN KEY (tenant_id, quota_id) REFERENCES aaa.quota (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, profile_id) REFERENCES aaa.profile (tenant_id, id)
);
CREATE INDEX quota_threshold_quota ON aaa.quota_threshold (quota_id);
SELECT lastmile.protect('aaa.quota_threshold');

-- Not validated: the columns are empty, and who migrates may not read the rows.
ALTER TABLE aaa.profile
    ADD COLUMN quota_id bigint,
    ADD CONSTRAINT profile_quota_fkey FOREIGN KEY (tenant_id, quota_id) REFERENCES aaa.quota (tenant_id, id) NOT VALID;
ALTER TABLE aaa.subscriber
    -- instead of the profile's
    ADD COLUMN quota_id bigint,
    -- on which the cycle of its quota begins
    ADD COLUMN billing_day integer CHECK (billing_day BETWEEN 1 AND 31),
    ADD CONSTRAINT subscriber_quota_fkey FOREIGN KEY (tenant_id, quota_id) REFERENCES aaa.quota (tenant_id, id) NOT VALID;
CREATE INDEX profile_quota ON aaa.profile (quota_id) WHERE quota_id IS NOT NULL;
CREATE INDEX subscriber_quota ON aaa.subscriber (quota_id) WHERE quota_id IS NOT NULL;

-- Octets that a subscriber bought on top. Whatever expires first is used first, the quota itself among them: it expires with its window.
CREATE TABLE aaa.quota_top_up (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL REFERENCES tenancy.tenant,
    subscriber_id bigint NOT NULL,
    octets bigint NOT NULL CHECK (octets BETWEEN 1 AND 1000000000000000000),
    -- more than there are only if octets were lowered while it was counted
    used_octets bigint NOT NULL DEFAULT 0 CHECK (used_octets >= 0),
    -- null: never
    expires_at timestamptz,
    note text NOT NULL DEFAULT '',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (tenant_id, subscriber_id) REFERENCES aaa.subscriber (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX quota_top_up_subscriber ON aaa.quota_top_up (subscriber_id);
SELECT lastmile.protect('aaa.quota_top_up');

-- How far a subscriber has come in the window. Written by whoever holds the turn of aaa.take_quota_usage, and nobody else.
CREATE TABLE aaa.quota_state (
    subscriber_id bigint PRIMARY KEY,
    tenant_id bigint NOT NULL,
    quota_id bigint NOT NULL,
    -- 0: none is in force (any more); see aaa.leave_quota
    quota_version bigint NOT NULL,
    -- days in the tenant's zone, half-open
    first_day date NOT NULL,
    end_day date NOT NULL,
    window_start timestamptz NOT NULL,
    window_end timestamptz NOT NULL,
    -- in the directions that count
    used_octets bigint NOT NULL DEFAULT 0,
    -- those of them of which nobody knows whether they belong to this window
    estimated_octets bigint NOT NULL DEFAULT 0,
    -- taken from the quota itself, and from top-ups, in this window
    base_octets bigint NOT NULL DEFAULT 0,
    covered_octets bigint NOT NULL DEFAULT 0,
    -- the quota's and all top-ups that count in this window
    limit_octets bigint NOT NULL,
    -- thresholds that have fired
    fired bigint[] NOT NULL DEFAULT '{}',
    action text NOT NULL DEFAULT 'none' CHECK (action IN ('none', 'throttle', 'captive', 'block')),
    -- answered instead of the subscriber's own while it is throttled
    profile_id bigint,
    -- below it nothing happens; 0: there are top-ups, and each octet does
    next_octets bigint NOT NULL DEFAULT 9223372036854775807,
    -- something happens by then whatever is used
    due_at timestamptz NOT NULL,
    FOREIGN KEY (tenant_id, subscriber_id) REFERENCES aaa.subscriber (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, profile_id) REFERENCES aaa.profile (tenant_id, id)
) WITH (fillfactor = 70);
CREATE INDEX quota_state_due ON aaa.quota_state (due_at);
CREATE INDEX quota_state_restricted ON aaa.quota_state (due_at) INCLUDE (action) WHERE action <> 'none';
CREATE INDEX quota_state_quota ON aaa.quota_state (quota_id);
CREATE INDEX quota_state_profile ON aaa.quota_state (profile_id) WHERE profile_id IS NOT NULL;
SELECT lastmile.protect('aaa.quota_state');

CREATE TRIGGER changed AFTER UPDATE OF profile_id ON aaa.quota_state
    FOR EACH ROW WHEN (OLD.profile_id IS DISTINCT FROM NEW.profile_id)
    EXECUTE FUNCTION aaa.record_change('subscriber', 'subscriber_id');
CREATE TRIGGER changed_removal AFTER DELETE ON aaa.quota_state
    FOR EACH ROW WHEN (OLD.profile_id IS NOT NULL) EXECUTE FUNCTION aaa.record_change('subscriber', 'subscriber_id');
CREATE TRIGGER reauthorize AFTER UPDATE OF profile_id ON aaa.quota_state
    FOR EACH ROW WHEN (OLD.profile_id IS DISTINCT FROM NEW.profile_id)
    EXECUTE FUNCTION aaa.request_reauthorization('subscriber_id');
CREATE TRIGGER reauthorize_removal AFTER DELETE ON aaa.quota_state
    FOR EACH ROW WHEN (OLD.profile_id IS NOT NULL) EXECUTE FUNCTION aaa.request_reauthorization('subscriber_id');

-- What subscribers with a quota used on each day of the tenant's zone, a growth over midnight shared out by time.
CREATE TABLE aaa.quota_day (
    tenant_id bigint NOT NULL,
    subscriber_id bigint NOT NULL,
    day date NOT NULL,
    upload_octets bigint NOT NULL DEFAULT 0,
    download_octets bigint NOT NULL DEFAULT 0,
    estimated_upload bigint NOT NULL DEFAULT 0,
    estimated_download bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (subscriber_id, day)
) WITH (fillfactor = 80);
-- Days come in order, so that a few octets say which pages have days that may go.
CREATE INDEX quota_day_age ON aaa.quota_day USING brin (day) WITH (autosummarize = on);
SELECT lastmile.protect('aaa.quota_day');

-- What sessions grew by, until it is counted.
CREATE TABLE aaa.quota_delta (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL,
    subscriber_id bigint NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    upload_octets bigint NOT NULL,
    download_octets bigint NOT NULL,
    -- the router's clock is not to be believed
    is_estimated boolean NOT NULL,
    -- a longer silence says too little about what was used when
    trusted_seconds integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX quota_delta_subscriber ON aaa.quota_delta (subscriber_id);
SELECT lastmile.protect('aaa.quota_delta');

-- Whose state must be looked at since something else than usage changed. Like aaa.change without row-level security: a tenant's zone is
-- changed by whoever runs the installation.
CREATE TABLE aaa.quota_review (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('subscriber', 'profile', 'quota', 'tenant')),
    key bigint NOT NULL
);
GRANT SELECT, INSERT, DELETE ON aaa.quota_review TO lastmile_system;

-- What happened, once each: the outbox that notices to subscribers are sent from.
CREATE TABLE aaa.quota_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL,
    at timestamptz NOT NULL,
    subscriber_id bigint NOT NULL,
    quota_id bigint NOT NULL,
    -- restored: to full service
    action text NOT NULL CHECK (action IN ('notify', 'throttle', 'captive', 'block', 'restored')),
    percent integer,
    used_octets bigint NOT NULL,
    limit_octets bigint NOT NULL,
    estimated boolean NOT NULL,
    window_start timestamptz NOT NULL,
    window_end timestamptz NOT NULL
);
CREATE INDEX quota_event_subscriber ON aaa.quota_event (subscriber_id, id);
CREATE INDEX quota_event_at ON aaa.quota_event (at);
SELECT lastmile.protect('aaa.quota_event');

-- MARK: Windows

-- The first instant of a day. Where clocks go forward at midnight it is not 00:00, and where they go back there are two of those.
CREATE FUNCTION aaa.day_start(day date, zone text) RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
    at timestamptz;
BEGIN
    BEGIN
        at := day::timestamp AT TIME ZONE zone;
    EXCEPTION
        WHEN invalid_parameter_value THEN RETURN day::timestamp AT TIME ZONE 'UTC';
    END;
    IF ((at - interval '1 hour') AT TIME ZONE zone)::date = day THEN
        RETURN at - interval '1 hour';
    END IF;
    RETURN at;
END
$$;

-- The day of the month that begins on `month` on which a cycle begins.
CREATE FUNCTION aaa.cycle_day(month date, anchor integer) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT month + least(anchor, extract(day FROM month + interval '1 month' - interval '1 day')::integer) - 1
$$;

-- The window that has `today`, in days, half-open.
CREATE FUNCTION aaa.quota_window(
    period text, first_weekday integer, anchor integer, days integer, today date, OUT first_day date, OUT end_day date
) LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    month date := date_trunc('month', today::timestamp)::date;
BEGIN
    CASE period
        WHEN 'day' THEN
            first_day := today;
            end_day := today + 1;
        WHEN 'week' THEN
            first_day := today - (extract(isodow FROM today)::integer - first_weekday + 7) % 7;
            end_day := first_day + 7;
        WHEN 'month' THEN
            first_day := month;
            end_day := (month + interval '1 month')::date;
        WHEN 'cycle' THEN
            IF today < aaa.cycle_day(month, anchor) THEN
                first_day := aaa.cycle_day((month - interval '1 month')::date, anchor);
                end_day := aaa.cycle_day(month, anchor);
            ELSE
                first_day := aaa.cycle_day(month, anchor);
                end_day := aaa.cycle_day((month + interval '1 month')::date, anchor);
            END IF;
        ELSE
            first_day := today - days + 1;
            end_day := today + 1;
    END CASE;
END
$$;

-- Shares a growth between the days of its time; the parts add up to it. `edges` are the days on which a window of the subscriber's
-- begins: parts of a growth over one of them are estimates where the router's clock is `doubtful`, or it took longer than `trusted`
-- seconds. Of 400 days at most.
CREATE FUNCTION aaa.split_usage(
    since timestamptz, until timestamptz, upload bigint, download bigint, doubtful boolean, trusted integer, edges date[], zone text
) RETURNS TABLE (day date, up bigint, down bigint, is_estimated boolean) LANGUAGE plpgsql STABLE AS $$
DECLARE
    last date := aaa.local_day(until - interval '1 microsecond', zone);
    begun timestamptz := since;
    whole numeric;
    passed numeric;
    done_up bigint := 0;
    done_down bigint := 0;
BEGIN
    day := least(last, aaa.local_day(since, zone));
    IF day < last - 400 THEN
        day := last - 400;
        begun := aaa.day_start(day, zone);
    END IF;
    is_estimated := (doubtful OR until - since > trusted * interval '1 second')
        AND EXISTS (SELECT FROM unnest(edges) e WHERE e > day AND e <= last);
    whole := extract(epoch FROM until - begun);
    WHILE day < last LOOP
        passed := greatest(0, extract(epoch FROM aaa.day_start(day + 1, zone) - begun));
        up := floor(upload * passed / whole)::bigint - done_up;
        down := floor(download * passed / whole)::bigint - done_down;
        done_up := done_up + up;
        done_down := done_down + down;
        RETURN NEXT;
        day := day + 1;
    END LOOP;
    up := upload - done_up;
    down := download - done_down;
    RETURN NEXT;
END
$$;

-- MARK: Counting

CREATE FUNCTION aaa.counted(direction text, upload numeric, download numeric) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT aaa.saturated(coalesce(CASE direction WHEN 'upload' THEN upload WHEN 'download' THEN download ELSE upload + download END, 0))
$$;

-- The quota that a subscriber has, and the window that it is in at `at`. No row: none.
CREATE FUNCTION aaa.quota_of(who bigint, at timestamptz) RETURNS TABLE (
    tenant_id bigint, quota_id bigint, version bigint, name text, octets bigint, direction text, period text, zone text,
    first_day date, end_day date
) LANGUAGE sql STABLE AS $$
    SELECT u.tenant_id, q.id, q.version, q.name, q.octets, q.direction, q.period, t.time_zone, w.first_day, w.end_day
    FROM aaa.subscriber u
    LEFT JOIN aaa.profile p ON p.id = u.profile_id AND p.tenant_id = u.tenant_id
    JOIN aaa.quota q ON q.id = coalesce(u.quota_id, p.quota_id) AND q.tenant_id = u.tenant_id AND q.enabled
    JOIN tenancy.tenant t ON t.id = u.tenant_id
    CROSS JOIN LATERAL aaa.quota_window(
        q.period, q.first_weekday, coalesce(u.billing_day, q.anchor_day), q.days, aaa.local_day(at, t.time_zone)) w
    WHERE u.id = who
$$;

-- Fills days that were never counted, from `first` up to before `behind`, with what was stored of them; what is still in the queue comes
-- from there. By one statement: both were written by the same transactions.
CREATE FUNCTION aaa.seed_usage(tenant bigint, who bigint, zone text, first date, behind date) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH waiting AS (
        SELECT aaa.local_day(until - interval '1 microsecond', zone) AS day, sum(upload_octets) AS up, sum(download_octets) AS down
        FROM aaa.quota_delta WHERE subscriber_id = who GROUP BY 1
    )
    INSERT INTO aaa.quota_day (tenant_id, subscriber_id, day, upload_octets, download_octets)
    SELECT tenant, who, u.day, greatest(0, u.upload_octets - coalesce(w.up, 0)), greatest(0, u.download_octets - coalesce(w.down, 0))
    FROM aaa.usage u LEFT JOIN waiting w ON w.day = u.day
    WHERE u.tenant_id = tenant AND u.subscriber_id = who AND u.day >= first AND u.day < behind
    ON CONFLICT (subscriber_id, day) DO NOTHING;
END
$$;

-- Makes the state of a subscriber that has a quota and none yet, from what was stored of its window so far.
CREATE FUNCTION aaa.begin_quota(who bigint, at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    q record;
BEGIN
    SELECT * INTO q FROM aaa.quota_of(who, at);
    -- Only what is constant reaches the indexes below aaa.usage.
    PERFORM aaa.seed_usage(q.tenant_id, who, q.zone, q.first_day, q.end_day);
    INSERT INTO aaa.quota_state (
        subscriber_id, tenant_id, quota_id, quota_version, first_day, end_day, window_start, window_end, limit_octets, due_at)
    VALUES (who, q.tenant_id, q.quota_id, 0, q.first_day, q.end_day, aaa.day_start(q.first_day, q.zone), aaa.day_start(q.end_day, q.zone),
        q.octets, at);
END
$$;

-- Makes the lock `quota` what `action` asks for. The operator's hand on it holds until the action changes.
CREATE FUNCTION aaa.set_quota_lock(tenant bigint, who bigint, action text, reason_note text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF action IN ('captive', 'block') THEN
        INSERT INTO aaa.access_lock AS l (tenant_id, subscriber_id, reason, level, note)
        VALUES (tenant, who, 'quota', CASE action WHEN 'block' THEN 'suspended' ELSE 'captive' END, reason_note)
        ON CONFLICT (tenant_id, subscriber_id, reason) DO UPDATE
            SET level = excluded.level, note = excluded.note, version = l.version + 1, updated_at = now();
    ELSE
        DELETE FROM aaa.access_lock WHERE tenant_id = tenant AND subscriber_id = who AND reason = 'quota';
    END IF;
END
$$;

-- Frees whoever has no quota (any more). The state stays for the length of one more window, and counting goes on: whoever has a quota
-- again by then goes on where it was, so that no top-up pays twice.
CREATE FUNCTION aaa.leave_quota(s aaa.quota_state, at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    kept_until timestamptz := s.window_end + (s.window_end - s.window_start);
BEGIN
    PERFORM aaa.set_quota_lock(s.tenant_id, s.subscriber_id, 'none', '');
    IF at >= kept_until THEN
        DELETE FROM aaa.quota_state WHERE subscriber_id = s.subscriber_id;
    ELSE
        UPDATE aaa.quota_state SET quota_version = 0, action = 'none', profile_id = NULL, next_octets = 9223372036854775807,
            due_at = kept_until
        WHERE subscriber_id = s.subscriber_id;
    END IF;
END
$$;

-- Takes what was surely used in the window and comes from nowhere yet from top-ups and from the quota itself, whatever expires first.
CREATE FUNCTION aaa.cover_usage(INOUT s aaa.quota_state, base bigint, at timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    uncovered bigint := greatest(0, s.used_octets - s.estimated_octets - s.base_octets - s.covered_octets);
    part bigint;
    bucket record;
BEGIN
    FOR bucket IN
        SELECT id, octets - used_octets AS rest, expires_at FROM (
            SELECT id, octets, used_octets, expires_at FROM aaa.quota_top_up
            WHERE subscriber_id = s.subscriber_id AND used_octets < octets AND (expires_at IS NULL OR expires_at > at)
            UNION ALL SELECT 0, base, least(base, s.base_octets), s.window_end
        ) b ORDER BY expires_at NULLS LAST, id
    LOOP
        EXIT WHEN uncovered = 0;
        part := least(uncovered, bucket.rest);
        uncovered := uncovered - part;
        IF bucket.id = 0 THEN
            s.base_octets := s.base_octets + part;
        ELSE
            UPDATE aaa.quota_top_up SET used_octets = used_octets + part WHERE id = bucket.id;
            s.covered_octets := s.covered_octets + part;
        END IF;
    END LOOP;
END
$$;

-- Brings one subscriber's state to `at`: a new window, top-ups, thresholds, and what they do. Changes nothing when it is called again.
-- By indexes whatever the statistics say: a connection plans once, maybe while tables are empty, and thousands that begin in one turn
-- would each read the days of all others.
CREATE FUNCTION aaa.settle_quota(who bigint, at timestamptz) RETURNS void LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    s aaa.quota_state;
    q record;
    t record;
    left_over record;
    is_moved boolean;
    -- used in this window beyond doubt
    certain bigint;
    bar bigint;
    is_reached boolean;
    former text;
    former_profile bigint;
BEGIN
    SELECT * INTO q FROM aaa.quota_of(who, at);
    IF FOUND AND NOT EXISTS (SELECT FROM aaa.quota_state WHERE subscriber_id = who) THEN
        PERFORM aaa.begin_quota(who, at);
    END IF;
    SELECT * INTO s FROM aaa.quota_state WHERE subscriber_id = who FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF q.quota_id IS NULL THEN
        PERFORM aaa.leave_quota(s, at);
        RETURN;
    END IF;

    is_moved := (s.quota_id, s.first_day, s.end_day) IS DISTINCT FROM (q.quota_id, q.first_day, q.end_day);
    certain := s.used_octets - s.estimated_octets;
    IF is_moved OR s.quota_version <> q.version THEN
        IF q.first_day < s.first_day THEN
            PERFORM aaa.seed_usage(q.tenant_id, who, q.zone, q.first_day, s.first_day);
        END IF;
        SELECT aaa.counted(q.direction, sum(d.upload_octets), sum(d.download_octets)),
            aaa.counted(q.direction, sum(d.estimated_upload), sum(d.estimated_download))
        INTO s.used_octets, s.estimated_octets
        FROM aaa.quota_day d WHERE d.subscriber_id = who AND d.day >= q.first_day AND d.day < q.end_day;
        certain := s.used_octets - s.estimated_octets;
        IF q.first_day >= s.end_day OR q.end_day <= s.first_day THEN
            s.base_octets := 0;
            s.covered_octets := 0;
        ELSE
            -- What both windows have is paid for already.
            s.base_octets := least(s.base_octets, q.octets, certain);
            s.covered_octets := least(s.covered_octets, certain - s.base_octets);
        END IF;
        IF s.quota_id <> q.quota_id OR is_moved AND q.period <> 'rolling' THEN
            s.fired := '{}';
        END IF;
    END IF;
    s.quota_id := q.quota_id;
    s.quota_version := q.version;
    s.first_day := q.first_day;
    s.end_day := q.end_day;
    s.window_start := aaa.day_start(q.first_day, q.zone);
    s.window_end := aaa.day_start(q.end_day, q.zone);
    -- Where there were no top-ups, the quota itself pays for what was used before they came.
    IF s.next_octets <> 0 THEN
        s.base_octets := greatest(s.base_octets, least(q.octets, certain - s.covered_octets));
    END IF;
    s := aaa.cover_usage(s, q.octets, at);
    SELECT coalesce(sum(u.octets - u.used_octets), 0) AS octets, min(u.expires_at) AS expires_at INTO left_over
    FROM aaa.quota_top_up u WHERE u.subscriber_id = who AND u.used_octets < u.octets AND (u.expires_at IS NULL OR u.expires_at > at);
    s.limit_octets := aaa.saturated(q.octets::numeric + s.covered_octets + left_over.octets);
    s.due_at := least(s.window_end, left_over.expires_at);

    former := s.action;
    former_profile := s.profile_id;
    s.action := 'none';
    s.profile_id := NULL;
    -- Which of several top-ups is used matters as soon as it is used.
    s.next_octets := CASE WHEN left_over.octets > 0 THEN 0 ELSE 9223372036854775807 END;
    FOR t IN
        SELECT h.id, h.percent, h.action, h.profile_id FROM aaa.quota_threshold h WHERE h.quota_id = q.quota_id ORDER BY h.percent, h.id
    LOOP
        bar := aaa.saturated(ceil(s.limit_octets::numeric * t.percent / 100));
        -- What may belong to another window restricts nobody.
        is_reached := CASE t.action WHEN 'notify' THEN s.used_octets ELSE certain END >= bar;
        IF NOT is_reached THEN
            s.next_octets := least(s.next_octets, bar);
            -- The limit has risen, or days have left a rolling window: it may fire again.
            IF t.action <> 'notify' OR q.period = 'rolling' THEN
                s.fired := array_remove(s.fired, t.id);
            END IF;
        ELSIF t.id <> ALL (s.fired) THEN
            s.fired := s.fired || t.id;
            INSERT INTO aaa.quota_event (
                tenant_id, at, subscriber_id, quota_id, action, percent, used_octets, limit_octets, estimated, window_start, window_end)
            VALUES (s.tenant_id, at, who, q.quota_id, t.action, t.percent, s.used_octets, s.limit_octets, s.estimated_octets > 0,
                s.window_start, s.window_end);
        END IF;
        IF t.id = ANY (s.fired) AND t.action <> 'notify' THEN
            IF array_position(ARRAY['none', 'throttle', 'captive', 'block'], t.action)
                >= array_position(ARRAY['none', 'throttle', 'captive', 'block'], s.action)
            THEN
                s.action := t.action;
            END IF;
            IF t.action = 'throttle' THEN
                s.profile_id := t.profile_id;
            END IF;
        END IF;
    END LOOP;

    IF s.action <> former THEN
        IF former IN ('captive', 'block') OR s.action IN ('captive', 'block') THEN
            PERFORM aaa.set_quota_lock(
                s.tenant_id, who, s.action, format('quota %s: %s of %s octets', q.name, s.used_octets, s.limit_octets));
        END IF;
        IF s.action = 'none' THEN
            INSERT INTO aaa.quota_event (
                tenant_id, at, subscriber_id, quota_id, action, used_octets, limit_octets, estimated, window_start, window_end)
            VALUES (s.tenant_id, at, who, q.quota_id, 'restored', s.used_octets, s.limit_octets, s.estimated_octets > 0,
                s.window_start, s.window_end);
        END IF;
    END IF;
    UPDATE aaa.quota_state SET quota_id = s.quota_id, quota_version = s.quota_version, first_day = s.first_day, end_day = s.end_day,
        window_start = s.window_start, window_end = s.window_end, used_octets = s.used_octets, estimated_octets = s.estimated_octets,
        base_octets = s.base_octets, covered_octets = s.covered_octets, limit_octets = s.limit_octets, fired = s.fired,
        action = s.action, next_octets = s.next_octets, due_at = s.due_at
    WHERE subscriber_id = who;
    IF s.profile_id IS DISTINCT FROM former_profile THEN
        UPDATE aaa.quota_state SET profile_id = s.profile_id WHERE subscriber_id = who;
    END IF;
END
$$;

-- Takes the growths `ids` out of the queue and adds them to days and windows; returns whose sum has come to where something happens.
CREATE FUNCTION aaa.count_usage(ids bigint[]) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    due bigint[];
BEGIN
    WITH taken AS (
        DELETE FROM aaa.quota_delta WHERE id = ANY (ids) RETURNING *
    ), part AS (
        SELECT s.tenant_id, s.subscriber_id, p.day, q.direction, p.day >= s.first_day AND p.day < s.end_day AS is_now,
            sum(p.up) AS up, sum(p.down) AS down, coalesce(sum(p.up) FILTER (WHERE p.is_estimated), 0) AS doubtful_up,
            coalesce(sum(p.down) FILTER (WHERE p.is_estimated), 0) AS doubtful_down
        FROM taken d
        JOIN aaa.quota_state s ON s.subscriber_id = d.subscriber_id AND s.tenant_id = d.tenant_id
        JOIN tenancy.tenant t ON t.id = d.tenant_id
        LEFT JOIN aaa.quota q ON q.id = s.quota_id
        CROSS JOIN LATERAL aaa.split_usage(d.since, d.until, d.upload_octets, d.download_octets, d.is_estimated, d.trusted_seconds,
            CASE q.period WHEN 'rolling' THEN ARRAY[s.first_day] ELSE ARRAY[s.first_day, s.end_day] END, t.time_zone) p
        GROUP BY 1, 2, 3, 4, 5
    ), booked AS (
        INSERT INTO aaa.quota_day AS d (
            tenant_id, subscriber_id, day, upload_octets, download_octets, estimated_upload, estimated_download)
        SELECT tenant_id, subscriber_id, day, aaa.saturated(up), aaa.saturated(down), aaa.saturated(doubtful_up),
            aaa.saturated(doubtful_down)
        FROM part ORDER BY subscriber_id, day
        ON CONFLICT (subscriber_id, day) DO UPDATE SET
            upload_octets = aaa.saturated(d.upload_octets::numeric + excluded.upload_octets),
            download_octets = aaa.saturated(d.download_octets::numeric + excluded.download_octets),
            estimated_upload = aaa.saturated(d.estimated_upload::numeric + excluded.estimated_upload),
            estimated_download = aaa.saturated(d.estimated_download::numeric + excluded.estimated_download)
    ), grown AS (
        UPDATE aaa.quota_state s SET used_octets = aaa.saturated(s.used_octets::numeric + g.used),
            estimated_octets = aaa.saturated(s.estimated_octets::numeric + g.doubtful)
        FROM (
            SELECT subscriber_id, sum(aaa.counted(direction, up, down)) AS used,
                sum(aaa.counted(direction, doubtful_up, doubtful_down)) AS doubtful
            FROM part WHERE is_now GROUP BY 1
        ) g
        WHERE s.subscriber_id = g.subscriber_id
        RETURNING s.subscriber_id, s.used_octets >= s.next_octets AS is_due
    )
    SELECT array_agg(subscriber_id) INTO due FROM grown WHERE is_due;
    RETURN due;
END
$$;

-- Takes the oldest `most` reviews and makes the states due that they name. Returns whom to settle who has none yet: those that a review
-- names itself. Others without one, of a profile or quota, are reviewed later one by one, where they are online.
CREATE FUNCTION aaa.review_quotas(most integer, OUT reviewed integer, OUT fresh bigint[]) LANGUAGE sql AS $$
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
        WHERE NOT n.is_alone AND EXISTS (
            SELECT FROM aaa.session o WHERE o.subscriber_id = n.subscriber_id AND o.tenant_id = n.tenant_id AND o.stopped_at IS NULL)
    )
    SELECT (SELECT count(*)::integer FROM gone), ARRAY(SELECT subscriber_id FROM unknown WHERE is_alone)
$$;

-- Counts up to `most` growths of the queue and acts on them, then on what else is due at `at`. One at a time; returns how much it did,
-- and -1 when another has the turn.
CREATE FUNCTION aaa.take_quota_usage(most integer, at timestamptz) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    who bigint;
    ids bigint[];
    due bigint[];
    done integer;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('lastmile.quota', 0)) THEN
        RETURN -1;
    END IF;
    -- Chosen once: of whom is counted, a state has begun.
    ids := ARRAY(SELECT id FROM aaa.quota_delta ORDER BY id LIMIT most);
    FOR who IN
        SELECT DISTINCT d.subscriber_id FROM aaa.quota_delta d
        WHERE d.id = ANY (ids) AND NOT EXISTS (SELECT FROM aaa.quota_state s WHERE s.subscriber_id = d.subscriber_id) ORDER BY 1
    LOOP
        PERFORM aaa.settle_quota(who, at);
    END LOOP;
    due := aaa.count_usage(ids);
    SELECT r.reviewed, due || r.fresh INTO done, due FROM aaa.review_quotas(most) r;
    done := done + cardinality(ids);
    -- At the end of a window whoever is restricted comes first.
    ids := ARRAY(SELECT subscriber_id FROM aaa.quota_state WHERE action <> 'none' AND due_at <= at ORDER BY due_at LIMIT most);
    ids := ids || ARRAY(
        SELECT subscriber_id FROM aaa.quota_state WHERE action = 'none' AND due_at <= at ORDER BY due_at LIMIT most - cardinality(ids));
    FOR who IN SELECT DISTINCT unnest(due || ids) ORDER BY 1 LOOP
        PERFORM aaa.settle_quota(who, at);
        done := done + 1;
    END LOOP;
    RETURN done;
END
$$;

-- MARK: What else changes a state

-- Arguments: the kind, and the column of the key.
CREATE FUNCTION aaa.request_quota_review() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    subject jsonb := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
BEGIN
    INSERT INTO aaa.quota_review (tenant_id, kind, key)
    VALUES (coalesce(subject ->> 'tenant_id', subject ->> 'id')::bigint, TG_ARGV[0], (subject ->> TG_ARGV[1])::bigint);
    RETURN NULL;
END
$$;
CREATE TRIGGER review AFTER UPDATE OR DELETE ON aaa.quota FOR EACH ROW EXECUTE FUNCTION aaa.request_quota_review('quota', 'id');
CREATE TRIGGER review AFTER INSERT OR UPDATE OR DELETE ON aaa.quota_threshold
    FOR EACH ROW EXECUTE FUNCTION aaa.request_quota_review('quota', 'quota_id');
CREATE TRIGGER review_removal AFTER DELETE ON aaa.quota_top_up
    FOR EACH ROW EXECUTE FUNCTION aaa.request_quota_review('subscriber', 'subscriber_id');
CREATE TRIGGER review AFTER INSERT OR UPDATE OF octets, expires_at ON aaa.quota_top_up
    FOR EACH ROW EXECUTE FUNCTION aaa.request_quota_review('subscriber', 'subscriber_id');
CREATE TRIGGER review AFTER UPDATE OF quota_id, billing_day, profile_id ON aaa.subscriber
    FOR EACH ROW WHEN ((OLD.quota_id, OLD.billing_day, OLD.profile_id) IS DISTINCT FROM (NEW.quota_id, NEW.billing_day, NEW.profile_id))
    EXECUTE FUNCTION aaa.request_quota_review('subscriber', 'id');
CREATE TRIGGER review AFTER UPDATE OF quota_id ON aaa.profile
    FOR EACH ROW WHEN (OLD.quota_id IS DISTINCT FROM NEW.quota_id) EXECUTE FUNCTION aaa.request_quota_review('profile', 'id');
CREATE TRIGGER quota_review AFTER UPDATE OF time_zone ON tenancy.tenant
    FOR EACH ROW WHEN (OLD.time_zone IS DISTINCT FROM NEW.time_zone) EXECUTE FUNCTION aaa.request_quota_review('tenant', 'id');

-- MARK: What people see

CREATE FUNCTION aaa.rfc3339(at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
$$;

CREATE VIEW aaa.quota_state_list WITH (security_invoker = true) AS
SELECT s.tenant_id, s.subscriber_id, s.quota_id, s.window_start, s.window_end, s.used_octets, s.limit_octets,
    greatest(0, s.limit_octets - s.used_octets) AS remaining_octets, s.covered_octets AS top_up_octets,
    least(2147483647, floor(s.used_octets::numeric * 100 / s.limit_octets))::integer AS percent, s.action, s.profile_id,
    s.estimated_octets > 0
        OR EXISTS (SELECT FROM aaa.session_list l WHERE l.subscriber_id = s.subscriber_id AND l.tenant_id = s.tenant_id AND l.stale)
        OR EXISTS (
            SELECT FROM aaa.quota_delta d WHERE d.subscriber_id = s.subscriber_id AND d.created_at < now() - interval '10 seconds'
        ) AS estimated
FROM aaa.quota_state s WHERE s.quota_version > 0;

-- All about one subscriber's quota as JSON; null without one.
CREATE FUNCTION aaa.quota_report(who bigint, at timestamptz) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'name', q.name, 'period', q.period, 'direction', q.direction, 'octets', q.octets,
        'window_start', aaa.rfc3339(coalesce(s.window_start, aaa.day_start(q.first_day, q.zone))),
        'window_end', aaa.rfc3339(coalesce(s.window_end, aaa.day_start(q.end_day, q.zone))),
        'used', coalesce(s.used_octets, stored.octets), 'limit', coalesce(s.limit_octets, q.octets),
        'percent', coalesce(s.percent, least(2147483647, floor(stored.octets::numeric * 100 / q.octets))),
        'estimated', coalesce(s.estimated, false), 'action', coalesce(s.action, 'none'),
        'profile', (SELECT p.name FROM aaa.profile p WHERE p.id = s.profile_id),
        'thresholds', coalesce((
            SELECT jsonb_agg(jsonb_build_object('percent', h.percent, 'action', h.action, 'profile', p.name,
                'fired', coalesce(h.id = ANY (z.fired), false)) ORDER BY h.percent, h.id)
            FROM aaa.quota_threshold h LEFT JOIN aaa.profile p ON p.id = h.profile_id WHERE h.quota_id = q.quota_id), '[]'),
        'top_ups', coalesce((
            SELECT jsonb_agg(jsonb_build_object('id', u.id, 'octets', u.octets, 'remaining', u.octets - u.used_octets,
                'expires_at', aaa.rfc3339(u.expires_at)) ORDER BY u.expires_at NULLS LAST, u.id)
            FROM aaa.quota_top_up u
            WHERE u.subscriber_id = who AND u.used_octets < u.octets AND (u.expires_at IS NULL OR u.expires_at > at)), '[]'))
    FROM aaa.quota_of(who, at) q
    -- Counting begins with the first record behind the quota.
    CROSS JOIN LATERAL (
        SELECT aaa.counted(q.direction, sum(u.upload_octets), sum(u.download_octets)) AS octets FROM aaa.usage u
        WHERE u.tenant_id = q.tenant_id AND u.subscriber_id = who AND u.day >= q.first_day AND u.day < q.end_day
    ) stored
    LEFT JOIN aaa.quota_state_list s ON s.subscriber_id = who
    LEFT JOIN aaa.quota_state z ON z.subscriber_id = who
$$;

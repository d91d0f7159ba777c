-- Schedules: what was saved, what comes next, and the record of every fire.

-- name: claim_due
-- The replica that locks a row decides about its fires; if it dies, its transaction ends and the row is free.
SELECT schedule_id, version, enabled, next_at, next_key, anchor
FROM scheduler.next_fires
WHERE next_at <= clock_timestamp()
ORDER BY next_at
LIMIT $most
FOR UPDATE SKIP LOCKED;

-- name: lock_schedule
SELECT schedule_id, version, enabled, next_at, next_key, anchor
FROM scheduler.next_fires
WHERE schedule_id = $schedule_id
FOR UPDATE;

-- name: read_definitions
SELECT id, project, orchestration, name, cron, every_seconds, timezone, overlap, misfire, catch_up_seconds, version,
       updated_at, enabled
FROM catalog.schedules_v1
WHERE id = ANY ($schedule_ids::uuid[]) AND deleted_at IS NULL;

-- name: read_clock
SELECT clock_timestamp();

-- name: seconds_to_next
SELECT extract(epoch FROM min(next_at) - clock_timestamp())::double precision
FROM scheduler.next_fires WHERE next_at IS NOT NULL;

-- name: insert_unknown
-- Creates the row on which two replicas that learn of a new schedule at once wait for each other.
INSERT INTO scheduler.next_fires (schedule_id, project, version, enabled, anchor)
SELECT id, project, 0, enabled, updated_at FROM catalog.schedules_v1 WHERE id = $schedule_id AND deleted_at IS NULL
ON CONFLICT (schedule_id) DO NOTHING;

-- name: save_next
UPDATE scheduler.next_fires
SET version = $version, enabled = $enabled, anchor = $anchor, next_at = $next_at, next_key = $next_key
WHERE schedule_id = $schedule_id;

-- name: remove_next
UPDATE scheduler.next_fires SET next_at = NULL, next_key = NULL, version = 0, enabled = false
WHERE schedule_id = $schedule_id;

-- name: set_aside
-- Its definition cannot be read: nothing is fired until it is saved again.
UPDATE scheduler.next_fires n SET next_at = NULL, next_key = NULL, version = s.version, enabled = s.enabled
FROM catalog.schedules_v1 s WHERE n.schedule_id = $schedule_id AND s.id = n.schedule_id;

-- name: record_fires
-- Fires are only recorded while the catalog still has this version and switch.
INSERT INTO scheduler.fires (schedule_id, fire_key, project, orchestration, version, scheduled_for, outcome, job_id)
SELECT s.id, f.key, s.project, s.orchestration, $version, f.at, f.outcome, f.job_id
FROM unnest($keys::text[], $times::timestamptz[], $outcomes::text[], $job_ids::uuid[]) AS f (key, at, outcome, job_id)
JOIN catalog.schedules_v1 s
    ON s.id = $schedule_id AND s.deleted_at IS NULL AND s.version = $version AND s.enabled = $enabled
ON CONFLICT (schedule_id, fire_key) DO NOTHING
RETURNING fire_key;

-- name: forget_disabled
-- Keeps the newest $kept fires of a schedule that stays disabled. One evaluation records at most a thousand, so the
-- surplus is among the newest two thousand.
DELETE FROM scheduler.fires f
USING (
    SELECT latest.fire_key
    FROM (SELECT x.fire_key, x.scheduled_for, x.outcome FROM scheduler.fires x
          WHERE x.schedule_id = $schedule_id
          ORDER BY x.scheduled_for DESC LIMIT 2000) latest
    WHERE latest.outcome = 'disabled'
    ORDER BY latest.scheduled_for DESC OFFSET $kept
) surplus
WHERE f.schedule_id = $schedule_id AND f.fire_key = surplus.fire_key;

-- name: is_current
SELECT EXISTS (
    SELECT FROM catalog.schedules_v1 s
    WHERE s.id = $schedule_id AND s.deleted_at IS NULL AND s.version = $version AND s.enabled = $enabled
);

-- name: stale_schedules
SELECT coalesce(s.id, n.schedule_id) AS schedule_id
FROM catalog.schedules_v1 s
FULL JOIN scheduler.next_fires n ON n.schedule_id = s.id
WHERE CASE
    WHEN s.id IS NULL OR s.deleted_at IS NOT NULL THEN n.next_at IS NOT NULL
    WHEN n.schedule_id IS NULL THEN true
    ELSE (n.version, n.enabled) <> (s.version, s.enabled)
END
ORDER BY 1;

-- name: forget_fires
WITH old AS (
    SELECT schedule_id, fire_key FROM scheduler.fires
    WHERE at < clock_timestamp() - $older_than::interval
    ORDER BY at LIMIT $batch FOR UPDATE SKIP LOCKED
)
DELETE FROM scheduler.fires f USING old WHERE (f.schedule_id, f.fire_key) = (old.schedule_id, old.fire_key);

-- name: forget_next_fires
-- Of schedules that the catalog has forgotten.
WITH old AS (
    SELECT n.schedule_id FROM scheduler.next_fires n
    WHERE n.next_at IS NULL AND NOT EXISTS (SELECT FROM catalog.schedules_v1 s WHERE s.id = n.schedule_id)
    LIMIT $batch FOR UPDATE OF n SKIP LOCKED
)
DELETE FROM scheduler.next_fires n USING old WHERE n.schedule_id = old.schedule_id;

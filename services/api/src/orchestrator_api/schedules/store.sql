-- Schedules and the fires that the scheduler recorded.

-- name: schedules
SELECT s.id, s.orchestration, s.name, s.cron, s.every_seconds, s.timezone, s.enabled, s.overlap, s.misfire,
       s.catch_up_seconds, s.version, n.next_at
FROM catalog.schedules s
LEFT JOIN scheduler.next_fires_v1 n ON n.schedule_id = s.id AND n.version = s.version AND n.enabled
WHERE s.project = $1 AND ($2::text IS NULL OR s.orchestration = $2) AND s.deleted_at IS NULL
ORDER BY s.orchestration, s.name

-- name: schedule
SELECT s.id, s.orchestration, s.name, s.cron, s.every_seconds, s.timezone, s.enabled, s.overlap, s.misfire,
       s.catch_up_seconds, s.version, s.updated_at, n.next_at
FROM catalog.schedules s
LEFT JOIN scheduler.next_fires_v1 n ON n.schedule_id = s.id AND n.version = s.version AND n.enabled
WHERE s.project = $1 AND s.orchestration = $2 AND s.name = $3 AND s.deleted_at IS NULL

-- name: schedule_by_id
SELECT id, orchestration, name, cron, every_seconds, timezone, version, updated_at
FROM catalog.schedules WHERE project = $1 AND id = $2 AND deleted_at IS NULL

-- name: interval_counted
SELECT version, anchor, next_at FROM scheduler.next_fires_v1 WHERE schedule_id = $1

-- name: schedule_exists
SELECT true FROM catalog.schedules WHERE project = $1 AND id = $2

-- name: insert_schedule
INSERT INTO catalog.schedules
    (id, project, orchestration, name, cron, every_seconds, timezone, enabled, overlap, misfire, catch_up_seconds)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)

-- name: update_schedule
UPDATE catalog.schedules
SET cron = $2, every_seconds = $3, timezone = $4, enabled = $5, overlap = $6, misfire = $7, catch_up_seconds = $8,
    version = version + 1, updated_at = clock_timestamp()
WHERE id = $1

-- name: delete_schedule
UPDATE catalog.schedules
SET deleted_at = clock_timestamp(), version = version + 1, updated_at = clock_timestamp()
WHERE project = $1 AND orchestration = $2 AND name = $3 AND deleted_at IS NULL
RETURNING id

-- name: touch_schedules
-- The switch of the orchestration, or its deletion, changes every one of its schedules.
UPDATE catalog.schedules SET version = version + 1, updated_at = clock_timestamp()
WHERE project = $1 AND orchestration = $2 AND deleted_at IS NULL
RETURNING id

-- name: fires
SELECT fire_key, scheduled_for, at, outcome, job_id, version
FROM scheduler.fires_v1
WHERE project = $1 AND schedule_id = $2 AND ($3::timestamptz IS NULL OR (scheduled_for, fire_key) < ($3, $4))
ORDER BY scheduled_for DESC, fire_key DESC
LIMIT $5

-- Schedules and the fires that the scheduler recorded.

-- name: schedules
-- Looks up the next fire for each schedule: a join might read those of all projects.
SELECT s.id, s.orchestration, s.name, s.cron, s.every_seconds, s.timezone, s.enabled, s.overlap, s.misfire,
       s.catch_up_seconds, s.version, s.updated_at,
       (SELECT n.next_at FROM scheduler.next_fires_v1 n
        WHERE n.schedule_id = s.id AND n.version = s.version AND n.enabled) AS next_at
FROM catalog.schedules s
WHERE s.project = $project AND s.orchestration = ANY ($orchestrations::text[])
  AND ($name::text IS NULL OR s.name = $name) AND s.deleted_at IS NULL
ORDER BY s.orchestration, s.name

-- name: schedule_by_id
SELECT s.id, s.orchestration, s.name, s.cron, s.every_seconds, s.timezone, s.enabled, s.overlap, s.misfire,
       s.catch_up_seconds, s.version, s.updated_at,
       (SELECT n.next_at FROM scheduler.next_fires_v1 n
        WHERE n.schedule_id = s.id AND n.version = s.version AND n.enabled) AS next_at
FROM catalog.schedules s
WHERE s.project = $project AND s.id = $schedule_id AND s.deleted_at IS NULL

-- name: interval_counted
SELECT version, anchor, next_at FROM scheduler.next_fires_v1
WHERE project = $project AND schedule_id = $schedule_id

-- name: schedule_exists
SELECT true FROM catalog.schedules WHERE project = $project AND id = $schedule_id

-- name: insert_schedule
INSERT INTO catalog.schedules
    (id, project, orchestration, name, cron, every_seconds, timezone, enabled, overlap, misfire, catch_up_seconds)
VALUES ($schedule_id, $project, $orchestration, $name, $cron, $every_seconds, $timezone, $enabled, $overlap, $misfire,
        $catch_up_seconds)

-- name: update_schedule
UPDATE catalog.schedules
SET cron = $cron, every_seconds = $every_seconds, timezone = $timezone, enabled = $enabled, overlap = $overlap,
    misfire = $misfire, catch_up_seconds = $catch_up_seconds, version = version + 1, updated_at = clock_timestamp()
WHERE project = $project AND id = $schedule_id

-- name: delete_schedule
UPDATE catalog.schedules
SET deleted_at = clock_timestamp(), version = version + 1, updated_at = clock_timestamp()
WHERE project = $project AND orchestration = $orchestration AND name = $name AND deleted_at IS NULL
RETURNING id

-- name: restore_schedule
-- The one that was deleted last, unless another has its name by now. As if it was saved now: what would have fired in
-- the meantime is not caught up.
UPDATE catalog.schedules
SET deleted_at = NULL, version = version + 1, updated_at = clock_timestamp()
WHERE id = (SELECT s.id FROM catalog.schedules s
            WHERE s.project = $project AND s.orchestration = $orchestration AND s.name = $name
              AND s.deleted_at IS NOT NULL
            ORDER BY s.deleted_at DESC LIMIT 1)
RETURNING id

-- name: delete_schedules
UPDATE catalog.schedules
SET deleted_at = clock_timestamp(), version = version + 1, updated_at = clock_timestamp()
WHERE project = $project AND orchestration = $orchestration AND deleted_at IS NULL
RETURNING id

-- name: touch_schedules
-- Switching or deleting the orchestration changes every one of its schedules.
UPDATE catalog.schedules SET version = version + 1, updated_at = clock_timestamp()
WHERE project = $project AND orchestration = $orchestration AND deleted_at IS NULL
RETURNING id

-- name: missed_schedules
-- Schedules whose newest fires of the last week were missed, and those that should have fired some time ago.
SELECT s.orchestration, c.name, s.name AS schedule, s.timezone, missed.since, missed.fires, missed.is_overdue
FROM (
    SELECT f.schedule_id, max(f.scheduled_for) AS since, count(*) AS fires, false AS is_overdue
    FROM (SELECT schedule_id, scheduled_for FROM scheduler.fires_v1
          WHERE project = $project AND outcome = 'missed'
            AND scheduled_for > clock_timestamp() - interval '7 days'
          ORDER BY scheduled_for DESC
          LIMIT 1000) f
    WHERE (SELECT true FROM scheduler.fires_v1 later
           WHERE later.schedule_id = f.schedule_id AND later.scheduled_for > f.scheduled_for
             AND later.outcome = 'requested'
           ORDER BY later.scheduled_for DESC LIMIT 1) IS NULL
    GROUP BY f.schedule_id
    UNION ALL
    (SELECT n.schedule_id, n.next_at, 1, true FROM scheduler.next_fires_v1 n
     WHERE n.next_at < clock_timestamp() - make_interval(secs => $overdue_seconds) AND n.enabled
       AND n.project = $project
     ORDER BY n.next_at
     LIMIT $limit)
) missed
CROSS JOIN LATERAL (
    SELECT s.orchestration, s.name, s.timezone FROM catalog.schedules s
    WHERE s.id = missed.schedule_id AND s.project = $project AND s.enabled AND s.deleted_at IS NULL
    LIMIT 1) s
CROSS JOIN LATERAL (
    SELECT c.name FROM catalog.configurations c
    WHERE (c.project, c.component, c.id) = ($project, 'orchestrator', s.orchestration) AND c.enabled
      AND c.deleted_at IS NULL
    LIMIT 1) c
LIMIT $limit

-- name: fires
SELECT f.fire_key, f.scheduled_for, f.at, f.outcome, f.job_id, f.version,
       j.number, coalesce(j.status, r.decision) AS status, other.number AS other_number
FROM (
    SELECT fire_key, scheduled_for, at, outcome, job_id, version
    FROM scheduler.fires_v1
    WHERE project = $project AND schedule_id = $schedule_id
      AND ($before::timestamptz IS NULL OR (scheduled_for, fire_key) < ($before, $before_key))
    ORDER BY scheduled_for DESC, fire_key DESC
    LIMIT $limit) f
LEFT JOIN jobs.jobs_v1 j ON j.project = $project AND j.id = f.job_id
LEFT JOIN jobs.request_records_v1 r ON r.project = $project AND r.job_id = f.job_id
LEFT JOIN jobs.jobs_v1 other ON other.project = $project AND other.id = r.into_job_id
ORDER BY f.scheduled_for DESC, f.fire_key DESC

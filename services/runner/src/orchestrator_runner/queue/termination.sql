-- Stops a job and all below it; the locks decide races with every other transition.

-- name: unfinished_below
WITH RECURSIVE tree AS (
    SELECT j.id FROM jobs.jobs j WHERE j.id = $job AND j.project = $project
    UNION ALL
    SELECT c.id FROM tree f JOIN jobs.jobs c ON c.parent_id = f.id
)
SELECT j.id, j.lane_id, j.attempt
FROM tree JOIN jobs.jobs j USING (id)
WHERE j.finished_at IS NULL

-- name: lock_requests
-- See accept.sql: serializes with the request of the same job.
SELECT pg_advisory_xact_lock(key)
FROM (SELECT DISTINCT hashtextextended(id::text, 0) AS key FROM unnest($ids::uuid[]) AS request (id) ORDER BY 1) AS sorted

-- name: job_exists
-- The caller holds lock_requests, so the job's request cannot be accepted between this check and
-- leave_tombstone.
SELECT EXISTS (SELECT 1 FROM jobs.jobs WHERE id = $job)
    OR EXISTS (SELECT 1 FROM jobs.request_records WHERE job_id = $job)

-- name: leave_tombstone
INSERT INTO jobs.tombstones (job_id, requested_by) VALUES ($job, $requested_by) ON CONFLICT DO NOTHING

-- name: lock_jobs
-- After the lanes, and in the engine's order (deepest first): neither can deadlock with the other.
SELECT id FROM jobs.jobs WHERE id = ANY ($ids::uuid[]) ORDER BY depth DESC, id FOR NO KEY UPDATE

-- name: stop
UPDATE jobs.jobs
SET status = CASE
        WHEN status IN ('processing', 'terminating') THEN 'terminating'
        WHEN attempt > 0 THEN 'terminated'
        ELSE 'cancelled' END,
    finished_at = CASE WHEN status IN ('processing', 'terminating') THEN NULL ELSE clock_timestamp() END,
    message = CASE
        WHEN status IN ('processing', 'terminating') THEN message
        WHEN attempt > 0 THEN 'stopped between two attempts'
        ELSE 'stopped before it started' END,
    delayed = false,
    stop_requested_at = coalesce(stop_requested_at, clock_timestamp()),
    stop_requested_by = coalesce(stop_requested_by, $requested_by),
    revision = revision + 1
WHERE id = ANY ($ids::uuid[]) AND finished_at IS NULL
RETURNING id, lane_id, seq, project, component, configuration, kind, status, origin, parent_id,
          root_id, trigger_id, schedule_id, revision, accepted_at, started_at, finished_at, full_run

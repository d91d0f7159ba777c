-- Accepting requests: every well-formed request becomes a row.

-- name: lock_requests
-- Serializes a request with a request to terminate the same job: whichever comes second sees what the first
-- has written.
SELECT pg_advisory_xact_lock(key)
FROM (SELECT DISTINCT hashtextextended(id::text, 0) AS key FROM unnest($1::uuid[]) AS request (id) ORDER BY 1) AS sorted

-- name: known_jobs
SELECT id, project, component, configuration FROM jobs.jobs WHERE id = ANY ($1::uuid[])
UNION ALL
SELECT job_id, project, 'orchestrator', configuration FROM jobs.request_records WHERE job_id = ANY ($1::uuid[])

-- name: request_details
SELECT job_id, tasks, parameters_as_written AS parameters, retry_of, task_versions FROM catalog.run_requests_v1
WHERE job_id = ANY ($1::uuid[])

-- name: take_tombstone
DELETE FROM jobs.tombstones WHERE job_id = $1 RETURNING requested_by

-- name: waiting_run_of_schedule
-- One half per partial index. A single condition on both statuses would use neither and scan every job the
-- lane ever ran.
SELECT id FROM (
    SELECT id, seq FROM jobs.jobs
    WHERE lane_id = $1 AND schedule_id = $2 AND origin = 'schedule' AND status = 'waiting' AND attempt = 0
    UNION ALL
    SELECT id, seq FROM jobs.jobs
    WHERE lane_id = $1 AND schedule_id = $2 AND origin = 'schedule' AND status = 'ready' AND attempt = 0) AS run
ORDER BY seq LIMIT 1

-- name: unfinished_in_lane
SELECT id FROM (
    SELECT id, seq FROM jobs.jobs WHERE lane_id = $1 AND status = 'waiting'
    UNION ALL
    SELECT id, seq FROM jobs.jobs WHERE lane_id = $1 AND status IN ('ready', 'processing', 'terminating')) AS job
ORDER BY seq LIMIT 1

-- name: merge_into
UPDATE jobs.jobs SET scheduled_for = greatest(scheduled_for, $2), revision = revision + 1
WHERE id = $1 RETURNING revision

-- name: record_request
INSERT INTO jobs.request_records
    (job_id, decision, into_job_id, project, configuration, schedule_id, fire_key, scheduled_for)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (job_id) DO NOTHING

-- name: insert_job
-- A retry takes its time limit, attempt policy, previous success and chain length from the job it retries.
INSERT INTO jobs.jobs (
    id, lane_id, seq, project, component, configuration, kind, status, origin, root_id,
    requested_by, token_id, notify, attended, overlap, schedule_id, fire_key, trigger_id, generation, retry_of,
    pinned_version, selection, parameters, parameters_as_written, scheduled_for, requested_at, timeout_seconds,
    finished_at, message, error_kind, stop_requested_at, stop_requested_by, previous_success,
    task_versions, max_attempts, attempt_delay_seconds, attempt_backoff, retry_on, chain_length
)
SELECT
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $1,
    $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
    $20, $21, $22::json::jsonb, $22::json, $23, $24, CASE WHEN o.id IS NULL THEN $25 ELSE o.timeout_seconds END,
    CASE WHEN $8 IN ('cancelled', 'error') THEN clock_timestamp() END, $26, $29,
    CASE WHEN $8 = 'cancelled' THEN clock_timestamp() END, $27,
    CASE WHEN o.started_at IS NOT NULL THEN o.previous_success ELSE (
        SELECT p.scheduled_for FROM jobs.jobs p
        WHERE p.lane_id = o.lane_id AND p.kind = 'run' AND p.status = 'success' AND p.scheduled_for < o.scheduled_for
        ORDER BY p.scheduled_for DESC LIMIT 1) END,
    $28, coalesce(o.max_attempts, 1), coalesce(o.attempt_delay_seconds, 0), coalesce(o.attempt_backoff, 1),
    coalesce(o.retry_on, 'any'), coalesce(o.chain_length, $30)
FROM (SELECT) AS request LEFT JOIN jobs.jobs o ON o.id = $19
RETURNING *

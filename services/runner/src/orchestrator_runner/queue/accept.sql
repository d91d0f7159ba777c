-- Accepting requests: every well-formed request becomes a row.

-- name: lock_requests
-- Serializes a request with a request to terminate the same job: whichever comes second sees what the first
-- has written.
SELECT pg_advisory_xact_lock(key)
FROM (SELECT DISTINCT hashtextextended(id::text, 0) AS key FROM unnest($ids::uuid[]) AS request (id) ORDER BY 1) AS sorted

-- name: known_jobs
SELECT id, project, component, configuration FROM jobs.jobs WHERE id = ANY ($ids::uuid[])
UNION ALL
SELECT r.job_id, r.project, coalesce(j.component, 'orchestrator'), r.configuration
FROM jobs.request_records r LEFT JOIN jobs.jobs j ON j.id = r.into_job_id  -- which is of the same configuration
WHERE r.job_id = ANY ($ids::uuid[])

-- name: request_details
SELECT job_id, tasks, parameters_as_written AS parameters, retry_of, task_versions FROM catalog.run_requests_v1
WHERE job_id = ANY ($ids::uuid[])

-- name: take_tombstone
DELETE FROM jobs.tombstones WHERE job_id = $job RETURNING requested_by

-- name: waiting_run_of_schedule
-- One half per partial index. A single condition on both statuses would use neither and scan every job the
-- lane ever ran.
SELECT id FROM (
    SELECT id, seq FROM jobs.jobs
    WHERE lane_id = $lane AND schedule_id = $schedule AND origin = 'schedule' AND status = 'waiting' AND attempt = 0
    UNION ALL
    SELECT id, seq FROM jobs.jobs
    WHERE lane_id = $lane AND schedule_id = $schedule AND origin = 'schedule' AND status = 'ready' AND attempt = 0) AS run
ORDER BY seq LIMIT 1

-- name: unfinished_in_lane
SELECT id FROM (
    SELECT id, seq FROM jobs.jobs WHERE lane_id = $lane AND status = 'waiting'
    UNION ALL
    SELECT id, seq FROM jobs.jobs WHERE lane_id = $lane AND status IN ('ready', 'processing', 'terminating')) AS job
ORDER BY seq LIMIT 1

-- name: merge_into
UPDATE jobs.jobs SET scheduled_for = greatest(scheduled_for, $scheduled_for), revision = revision + 1
WHERE id = $run RETURNING revision

-- name: record_request
INSERT INTO jobs.request_records
    (job_id, decision, into_job_id, project, configuration, schedule_id, fire_key, scheduled_for)
VALUES ($job, $decision, $into, $project, $configuration, $schedule_id, $fire_key, $scheduled_for)
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
    $id, $lane_id, $seq, $project, $component, $configuration, $kind, $status, $origin, $id,
    $requested_by, $token_id, $notify, $attended, $overlap, $schedule_id, $fire_key, $trigger_id, $generation, $retry_of,
    $pinned_version, $selection, $parameters::json::jsonb, $parameters::json, $scheduled_for, $requested_at,
    CASE WHEN o.id IS NULL THEN $timeout_seconds ELSE o.timeout_seconds END,
    CASE WHEN $status IN ('cancelled', 'error') THEN clock_timestamp() END, $message, $error_kind,
    CASE WHEN $status = 'cancelled' THEN clock_timestamp() END, $stop_requested_by,
    CASE WHEN o.started_at IS NOT NULL THEN o.previous_success ELSE (
        SELECT p.scheduled_for FROM jobs.jobs p
        WHERE p.lane_id = o.lane_id AND p.kind = 'run' AND p.status = 'success' AND p.scheduled_for < o.scheduled_for
        ORDER BY p.scheduled_for DESC LIMIT 1) END,
    $task_versions, coalesce(o.max_attempts, 1), coalesce(o.attempt_delay_seconds, 0), coalesce(o.attempt_backoff, 1),
    coalesce(o.retry_on, 'any'), coalesce(o.chain_length, $chain_length)
FROM (SELECT) AS request LEFT JOIN jobs.jobs o ON o.id = $retry_of
RETURNING id, lane_id, seq, project, component, configuration, kind, status, origin, parent_id,
          root_id, trigger_id, schedule_id, revision, accepted_at, started_at, finished_at, full_run

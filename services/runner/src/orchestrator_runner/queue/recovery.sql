-- Jobs of lost replicas: either decided anew, or adopted together with their attempt.

-- name: declare_lost
-- Only a replica that holds a lease may judge. A statement that a stalled network delivers late then finds
-- that our own lease has expired too.
UPDATE jobs.replicas SET lost_at = clock_timestamp()
WHERE id IN (
    SELECT id FROM jobs.replicas WHERE lost_at IS NULL AND lease_until < clock_timestamp()
    FOR UPDATE SKIP LOCKED)
    AND EXISTS (
        SELECT 1 FROM jobs.replicas me
        WHERE me.id = $replica AND me.lost_at IS NULL AND me.lease_until >= clock_timestamp())
RETURNING id, name

-- name: jobs_of_lost_replicas
SELECT j.id, j.lane_id, j.parent_id AS run_id, j.phase, j.epoch, j.attempt, j.free_attempts, j.max_attempts,
       j.attempt_delay_seconds, j.attempt_backoff, j.retry_on, r.name AS replica,
       coalesce(c.after_crash = 'rerun', false) AS safe_to_rerun
FROM jobs.replicas r
JOIN jobs.jobs j ON j.replica_id = r.id AND j.status IN ('processing', 'terminating')
LEFT JOIN catalog.components_v1 c ON c.id = j.component
WHERE r.lost_at IS NOT NULL
    -- Those with a handle are adopted instead.
    AND NOT EXISTS (SELECT 1 FROM jobs.attempts a
                    WHERE (a.job_id, a.attempt) = (j.id, j.attempt) AND a.handle IS NOT NULL)
LIMIT 1000

-- name: owned_elsewhere
SELECT j.id FROM jobs.jobs j
JOIN jobs.attempts a ON (a.job_id, a.attempt) = (j.id, j.attempt) AND a.handle IS NOT NULL
WHERE j.replica_id = $replica AND j.status IN ('processing', 'terminating')

-- name: adopt
-- An attempt with a handle outlives its runner: the replica that takes it over continues the same attempt
-- under a new epoch, and the job keeps its lane throughout. $strays lists our own jobs that nothing here works on.
WITH alive AS (
    SELECT id FROM jobs.replicas
    WHERE id = $replica AND lost_at IS NULL AND NOT stopping AND lease_until > clock_timestamp()
    FOR KEY SHARE
), orphaned AS (
    SELECT j.id
    FROM alive, jobs.replicas r
    JOIN jobs.jobs j ON j.replica_id = r.id AND j.status IN ('processing', 'terminating')
    JOIN jobs.attempts a ON (a.job_id, a.attempt) = (j.id, j.attempt) AND a.handle IS NOT NULL
    WHERE r.lost_at IS NOT NULL OR (r.id = $replica AND j.id = ANY ($strays::uuid[]))
    LIMIT $most
    FOR UPDATE OF j SKIP LOCKED
), adopted AS (
    UPDATE jobs.jobs j SET epoch = j.epoch + 1, replica_id = $replica, revision = j.revision + 1
    FROM orphaned WHERE j.id = orphaned.id
    RETURNING j.*
), recorded AS (
    UPDATE jobs.attempts a SET replica_id = $replica FROM adopted j WHERE (a.job_id, a.attempt) = (j.id, j.attempt)
)
SELECT j.id, j.lane_id, j.project, j.component, j.configuration, j.version, j.parent_id AS run_id, j.root_id, j.phase,
       j.task_id,
       j.epoch, j.attempt, j.free_attempts, j.max_attempts, j.attempt_delay_seconds, j.attempt_backoff, j.retry_on,
       j.timeout_seconds, coalesce(j.parameters_as_written, j.parameters::json) AS parameters, j.scheduled_for,
       j.previous_success, j.revision,
       NULL::text AS token_refusal, c.executor, coalesce(c.after_crash = 'rerun', false) AS safe_to_rerun, c.updated_at AS component_saved_at,
       EXISTS (SELECT 1 FROM jobs.configuration_states s
               WHERE (s.project, s.component, s.configuration) = (j.project, j.component, j.configuration)) AS has_state,
       a.handle, a.callback_hash, extract(epoch FROM clock_timestamp() - a.started_at)::float8 AS ran_seconds,
       (SELECT coalesce(max(l.seq), 0) + 1 FROM jobs.logs l
        WHERE (l.job_id, l.attempt) = (j.id, j.attempt)) AS next_log_seq
FROM adopted j
JOIN jobs.attempts a ON (a.job_id, a.attempt) = (j.id, j.attempt)
LEFT JOIN catalog.components_v1 c ON c.id = j.component

-- name: attempts_underway
SELECT j.id, j.attempt FROM jobs.jobs j
JOIN unnest($ids::uuid[], $attempts::integer[]) AS wanted (id, attempt) ON (wanted.id, wanted.attempt) = (j.id, j.attempt)
WHERE j.status IN ('processing', 'terminating')

-- Claims jobs for a replica and writes their results; the epoch fences every write of a job.

-- name: claim
-- Claims jobs for $slots free slots, and up to $ahead more that begin when the next slots become free. The latter
-- must be safe to rerun (`after_crash`), because after a crash no one can tell which of them had begun.
-- Projects with a parallel limit are claimed for only if $limited names them. The array keeps them out of the first
-- scan, so that it reads the index in order and stops early.
WITH alive AS (
    -- KEY SHARE lets heartbeats through, but declare_lost (FOR UPDATE SKIP LOCKED) skips us until we commit.
    SELECT id FROM jobs.replicas
    WHERE id = $replica AND lost_at IS NULL AND lease_until > clock_timestamp()
    FOR KEY SHARE
), unlimited AS (
    -- SKIP LOCKED: no replica waits for rows that another one is claiming.
    SELECT j.id, j.ready_at, j.component FROM jobs.jobs j
    WHERE j.status = 'ready' AND j.kind = 'component' AND (SELECT true FROM alive)
        AND j.project <> ALL (ARRAY(SELECT p.id FROM catalog.projects_v1 p WHERE p.parallel_limit IS NOT NULL))
    ORDER BY j.ready_at, j.id LIMIT $slots::integer + $ahead::integer
    FOR UPDATE OF j SKIP LOCKED
), room AS (
    -- Counted under lock_projects, an earlier statement, so every claim for these projects is seen.
    SELECT p.id AS project, p.parallel_limit - (
        SELECT count(*) FROM jobs.jobs u
        WHERE u.project = p.id AND u.status IN ('processing', 'terminating') AND u.kind = 'component') AS free
    FROM catalog.projects_v1 p WHERE p.id = ANY ($limited::text[]) AND p.parallel_limit IS NOT NULL
), line AS (
    SELECT next.id FROM room CROSS JOIN LATERAL (
        SELECT j.id FROM jobs.jobs j
        WHERE j.status = 'ready' AND j.kind = 'component' AND j.project = room.project
        ORDER BY j.ready_at, j.id LIMIT least(greatest(room.free, 0), $slots::integer)) AS next
), limited AS (
    SELECT j.id, j.ready_at, j.component
    FROM line JOIN jobs.jobs j ON j.id = line.id, alive
    -- checked again: another transaction may have stopped or claimed it since `line` was read
    WHERE j.status = 'ready'
    ORDER BY j.ready_at, j.id LIMIT $slots::integer
    FOR UPDATE OF j SKIP LOCKED
), picked AS (
    SELECT p.id, row_number() OVER (ORDER BY p.ready_at, p.id) AS place, c.after_crash
    FROM (SELECT * FROM unlimited UNION ALL SELECT * FROM limited) AS p
    LEFT JOIN catalog.components_v1 c ON c.id = p.component
), claimed AS (
    UPDATE jobs.jobs j
    SET status = 'processing', epoch = j.epoch + 1, attempt = j.attempt + 1, replica_id = $replica,
        started_at = coalesce(j.started_at, clock_timestamp()), revision = j.revision + 1,
        -- Nothing in the trash is run, not even a pinned version. It may go there once the job is claimed.
        version = coalesce(j.version, (
            SELECT coalesce(j.pinned_version, (
                SELECT (t.request ->> 'version')::integer FROM jobs.tasks t
                WHERE (t.run_id, t.task_id) = (j.parent_id, j.task_id)), c.version)
            FROM catalog.configurations_v1 c
            WHERE (c.project, c.component, c.id) = (j.project, j.component, j.configuration)
                AND c.deleted_at IS NULL))
    FROM picked
    WHERE j.id = picked.id AND (
        picked.place <= $slots OR (picked.place <= $slots::integer + $ahead::integer AND picked.after_crash = 'rerun'))
    RETURNING j.*
), recorded AS (
    INSERT INTO jobs.attempts (job_id, attempt, replica_id, due_at, ready_at)
    SELECT id, attempt, $replica, due_at, ready_at FROM claimed
)
SELECT j.id, j.lane_id, j.project, j.component, j.configuration, j.version, j.parent_id AS run_id, j.root_id,
       j.phase, j.task_id, j.epoch, j.attempt, j.free_attempts, j.max_attempts, j.attempt_delay_seconds,
       j.attempt_backoff, j.retry_on,
       j.timeout_seconds, coalesce(j.parameters_as_written, j.parameters::json) AS parameters, j.scheduled_for,
       j.previous_success, j.revision,
       greatest(extract(epoch FROM j.ready_at - j.due_at), 0)::float8 AS seconds_waiting,
       extract(epoch FROM clock_timestamp() - j.ready_at)::float8 AS seconds_ready,
       (SELECT CASE WHEN o.revoked_at IS NOT NULL THEN 'revoked'
                    WHEN NOT o.components && ARRAY['*', j.component] THEN 'component' END
        FROM catalog.orchestration_tokens_v1 o WHERE o.token_id = j.token_id) AS token_refusal,
       c.executor, coalesce(c.after_crash = 'rerun', false) AS safe_to_rerun, c.updated_at AS component_saved_at,
       EXISTS (SELECT 1 FROM jobs.configuration_states s
               WHERE (s.project, s.component, s.configuration) = (j.project, j.component, j.configuration)) AS has_state
FROM claimed j LEFT JOIN catalog.components_v1 c ON c.id = j.component
ORDER BY j.ready_at, j.id

-- name: ready_left
SELECT count(*) FROM (
    SELECT 1 FROM jobs.jobs WHERE status = 'ready' AND kind = 'component' LIMIT 100) AS ready

-- name: finish_jobs
-- Status `ready` gives the job back as if it had never been claimed. The epoch stays, so that the next claim
-- gets a higher one. If someone asked to stop it meanwhile and this was its first attempt, it is `cancelled`:
-- it did nothing.
-- The epoch fences the write: it finds no row once another replica owns the job.
WITH result AS (
    SELECT * FROM unnest($ids::uuid[], $epochs::integer[], $statuses::text[], $messages::text[], $error_kinds::text[],
                         $output_tables::text[], $delays::float8[],
                         $free::boolean[])
        AS r (id, epoch, status, message, error_kind, output_tables, delay, free)
), done AS (
    UPDATE jobs.jobs j
    SET status = CASE WHEN j.status <> 'terminating' THEN r.status
                      WHEN r.status = 'ready' AND j.attempt = 1 THEN 'cancelled' ELSE 'terminated' END,
        message = CASE WHEN j.status <> 'terminating' THEN r.message
                       WHEN r.status = 'ready' AND j.attempt = 1 THEN 'stopped before it started'
                       ELSE 'terminated on request' END,
        error_kind = CASE j.status WHEN 'terminating' THEN NULL ELSE r.error_kind END,
        output_tables = CASE WHEN j.status = 'processing' AND r.status = 'success' THEN r.output_tables::jsonb ELSE '[]' END,
        replica_id = CASE WHEN j.status = 'processing' AND r.status IN ('waiting',
                                                                        'ready') THEN NULL ELSE j.replica_id END,
        attempt = CASE WHEN r.status = 'ready' THEN j.attempt - 1 ELSE j.attempt END,
        started_at = CASE WHEN r.status = 'ready' AND j.attempt = 1 THEN NULL ELSE j.started_at END,
        due_at = CASE WHEN r.status = 'waiting' THEN clock_timestamp() + make_interval(secs => r.delay) ELSE j.due_at END,
        delayed = j.status = 'processing' AND r.status = 'waiting' AND r.delay > 0,
        ready_at = CASE WHEN j.status = 'processing' AND r.status = 'waiting' THEN NULL ELSE j.ready_at END,
        free_attempts = j.free_attempts + r.free::integer,
        finished_at = CASE WHEN j.status = 'terminating' OR r.status NOT IN ('waiting',
                                                                             'ready') THEN clock_timestamp() END,
        revision = j.revision + 1
    FROM result r
    WHERE j.id = r.id AND j.epoch = r.epoch AND j.status IN ('processing', 'terminating')
    RETURNING j.id, j.lane_id, j.kind, j.status, j.project, j.parent_id, j.task_id, j.phase, j.attempt, j.revision,
              j.output_tables, j.finished_at, j.chain_length
), forgotten AS (
    DELETE FROM jobs.attempts a USING done
    JOIN result r ON r.id = done.id
    WHERE a.job_id = done.id AND a.attempt = done.attempt + 1 AND r.status = 'ready'
), recorded AS (
    UPDATE jobs.attempts a
    SET finished_at = clock_timestamp(), message = r.message,
        outcome = CASE WHEN done.status = 'waiting' AND r.free THEN 'lost' WHEN done.status = 'waiting' THEN 'error'
                       ELSE done.status END
    FROM done JOIN result r ON r.id = done.id
    WHERE a.job_id = done.id AND a.attempt = done.attempt AND r.status <> 'ready'
)
SELECT done.id, done.lane_id, done.kind, done.status, done.project, done.parent_id, done.task_id, done.phase,
       done.revision,
       done.output_tables, done.finished_at, done.chain_length,
       done.status = 'waiting' OR (done.finished_at IS NOT NULL AND EXISTS (
    SELECT 1 FROM jobs.jobs w WHERE w.lane_id = done.lane_id AND w.status = 'waiting')) AS frees_its_lane
FROM done

-- name: save_states
INSERT INTO jobs.configuration_states (project, component, configuration, state, job_id)
SELECT j.project, j.component, j.configuration, s.state, j.id
FROM unnest($ids::uuid[], $states::jsonb[]) AS s (id, state) JOIN jobs.jobs j ON j.id = s.id
ON CONFLICT (project, component, configuration)
DO UPDATE SET state = excluded.state, job_id = excluded.job_id, updated_at = clock_timestamp()

-- name: owned
-- Excludes jobs with a handle: those are adopted, never started again.
SELECT id, lane_id, parent_id AS run_id, phase, epoch FROM jobs.jobs j
WHERE replica_id = $replica AND status IN ('processing', 'terminating')
    AND NOT EXISTS (SELECT 1 FROM jobs.attempts a
                    WHERE (a.job_id, a.attempt) = (j.id, j.attempt) AND a.handle IS NOT NULL)

-- name: stops_wanted
SELECT id FROM jobs.jobs WHERE replica_id = $replica AND status = 'terminating'

-- name: limited_projects
SELECT p.id FROM catalog.projects_v1 p
WHERE p.parallel_limit IS NOT NULL
    AND (EXISTS (SELECT 1 FROM jobs.jobs j WHERE j.status = 'ready' AND j.kind = 'component' AND j.project = p.id)
         -- running runs may make the next ones ready before the next poll
         OR EXISTS (SELECT 1 FROM jobs.jobs j WHERE j.status IN ('processing', 'terminating') AND j.kind = 'component'
                    AND j.project = p.id))
ORDER BY p.id

-- name: ensure_project_locks
INSERT INTO jobs.project_locks (project) SELECT unnest($projects::text[]) ON CONFLICT DO NOTHING

-- name: lock_projects
-- Ordered by id, so that two replicas claiming for several projects cannot deadlock.
SELECT project FROM jobs.project_locks WHERE project = ANY ($projects::text[]) ORDER BY project FOR UPDATE

-- Starts runs, applies the results of their children, continues them and ends them.

-- name: ready_runs
SELECT id FROM jobs.jobs WHERE status = 'ready' AND kind = 'run' ORDER BY ready_at, id LIMIT $most

-- name: runs_to_start
SELECT j.id, j.lane_id, j.project, j.component, j.configuration, j.depth, j.selection, j.origin,
       coalesce(j.parameters_as_written, j.parameters::json) AS parameters,
       c.version AS current_version, c.deleted_at, v.version, v.parameters_as_written AS definition,
       (SELECT r.task_versions -> j.configuration FROM jobs.jobs r WHERE r.id = j.root_id) AS task_versions,
       (SELECT o.token_id FROM catalog.orchestration_tokens_v1 o
        WHERE (o.project, o.orchestration) = (j.project, j.configuration)) AS token_id,
       (SELECT o.revoked_at IS NOT NULL FROM catalog.orchestration_tokens_v1 o
        WHERE (o.project, o.orchestration) = (j.project, j.configuration)) AS token_is_revoked,
       -- A nested run has the token of the run above it until it starts.
       (SELECT CASE WHEN o.revoked_at IS NOT NULL THEN 'revoked'
                    WHEN NOT o.components && ARRAY['*', j.component] THEN 'component' END
        FROM catalog.orchestration_tokens_v1 o WHERE o.token_id = j.token_id AND j.depth > 0) AS token_refusal
FROM jobs.jobs j
LEFT JOIN catalog.configurations_v1 c
    ON (c.project, c.component, c.id) = (j.project, j.component, j.configuration)
LEFT JOIN catalog.configuration_versions_v1 v
    ON (v.project, v.component, v.configuration) = (j.project, j.component, j.configuration)
    AND v.version = coalesce(j.pinned_version, c.version)
WHERE j.id = ANY ($runs::uuid[]) AND j.status = 'ready'

-- name: ancestors
WITH RECURSIVE line AS (
    SELECT j.parent_id, j.configuration, j.depth FROM jobs.jobs j WHERE j.id = $run
    UNION ALL
    SELECT p.parent_id, p.configuration, p.depth FROM line JOIN jobs.jobs p ON p.id = line.parent_id
)
SELECT configuration FROM line ORDER BY depth

-- name: configuration_versions
SELECT c.project, c.component, c.id AS configuration, c.version, c.name
FROM unnest($projects::text[], $components::text[], $configurations::text[]) AS wanted (project, component, configuration)
JOIN catalog.configurations_v1 c
    ON (c.project, c.component, c.id) = (wanted.project, wanted.component, wanted.configuration)
WHERE c.deleted_at IS NULL

-- name: begin_runs
-- Locks the rows of the triggers, as the watcher does: each update is heard either before these starts or
-- after.
SELECT project, orchestration, table_project, table_name, max(last_seq) AS last_seq
FROM triggers.begin_runs($projects, $orchestrations) GROUP BY 1, 2, 3, 4

-- name: used_by_others
-- Those of these triggered runs whose updates are already used: another full run started after the newest of
-- them was heard. Returns the first such run. Read under the locks that begin_runs took.
SELECT t.id, other.id AS used_by, t.configuration || ' #' || other.seq AS name
FROM triggers.newest_updates($runs) newest
JOIN jobs.jobs t ON t.id = newest.job_id AND t.status = 'ready' AND t.origin = 'trigger'
CROSS JOIN LATERAL (
    SELECT latest.id, latest.seq
    FROM (
        SELECT r.id, r.seq, r.started_at FROM jobs.jobs r
        WHERE r.lane_id = t.lane_id AND r.started_at IS NOT NULL AND r.full_run
        ORDER BY r.seq DESC LIMIT 20) latest
    WHERE latest.started_at > newest.heard_at
    ORDER BY latest.started_at LIMIT 1) other

-- name: withdraw_runs
WITH withdrawn AS (
    UPDATE jobs.jobs j
    SET status = 'cancelled', finished_at = clock_timestamp(), message = w.message, revision = j.revision + 1
    FROM unnest($runs::uuid[], $messages::text[]) AS w (id, message) WHERE j.id = w.id AND j.status = 'ready'
    RETURNING j.id, j.lane_id, j.seq, j.project, j.component, j.configuration, j.kind, j.status, j.origin, j.parent_id,
              j.root_id, j.trigger_id, j.schedule_id, j.revision, j.accepted_at, j.started_at, j.finished_at, j.full_run
), recorded AS (
    INSERT INTO jobs.withdrawals (job_id, used_by)
    SELECT w.id, w.used_by FROM unnest($runs::uuid[], $used_by::uuid[]) AS w (id, used_by) JOIN withdrawn USING (id)
)
SELECT * FROM withdrawn

-- name: start_runs
UPDATE jobs.jobs j
SET status = 'processing', started_at = clock_timestamp(), epoch = j.epoch + 1, attempt = 1, version = s.version,
    full_run = s.full_run, used_updates = s.used::jsonb, token_id = coalesce(s.token_id, j.token_id),
    revision = j.revision + 1,
    previous_success = coalesce(j.previous_success, (
        SELECT p.scheduled_for FROM jobs.jobs p
        WHERE j.retry_of IS NULL AND p.lane_id = j.lane_id AND p.kind = 'run' AND p.status = 'success'
            AND p.scheduled_for < j.scheduled_for
        ORDER BY p.scheduled_for DESC LIMIT 1))
FROM unnest($runs::uuid[], $versions::integer[], $full_runs::boolean[], $used::text[], $tokens::uuid[])
    AS s (id, version, full_run, used, token_id)
WHERE j.id = s.id AND j.status = 'ready'
RETURNING j.id, j.lane_id, j.seq, j.project, j.component, j.configuration, j.kind, j.status, j.origin, j.parent_id,
          j.root_id, j.trigger_id, j.schedule_id, j.revision, j.accepted_at, j.started_at, j.finished_at, j.full_run,
          greatest(extract(epoch FROM j.ready_at - j.due_at), 0)::float8 AS seconds_waiting

-- name: refuse_run
UPDATE jobs.jobs
SET status = 'error', finished_at = clock_timestamp(), message = $message, error_kind = $error_kind, version = $version,
    revision = revision + 1
WHERE id = $run AND status = 'ready'
RETURNING id, lane_id, seq, project, component, configuration, kind, status, origin, parent_id,
          root_id, trigger_id, schedule_id, revision, accepted_at, started_at, finished_at, full_run

-- name: insert_phases_and_tasks
WITH phase AS (
    INSERT INTO jobs.phases (run_id, index, name, remaining)
    SELECT run_id, index, name, remaining
    FROM unnest($phase_runs::uuid[], $phase_indexes::integer[], $phase_names::text[], $remaining::integer[])
        AS p (run_id, index, name, remaining)
)
INSERT INTO jobs.tasks (run_id, phase, position, task_id, name, component, configuration, version, request,
                        request_as_written, continue_on_failure, active, lane_id, status)
SELECT run_id, phase, position, task_id, name, component, configuration, version, request::jsonb, request,
       continue_on_failure, active, lane_id, CASE WHEN active THEN 'pending' ELSE 'skipped' END
FROM unnest($runs::uuid[], $phases::integer[], $positions::integer[], $task_ids::text[], $names::text[],
            $components::text[], $configurations::text[], $versions::integer[],
            $requests::json[], $continue_on_failure::boolean[], $active::boolean[], $lanes::bigint[])
    AS t (run_id, phase, position, task_id, name, component, configuration, version, request, continue_on_failure,
          active, lane_id)

-- name: create_children
-- The caller has locked the lanes. Up to $slots jobs whose lanes are free begin at once on replica $replica, without
-- a separate claim.
WITH child AS (
    SELECT *, row_number() OVER (PARTITION BY lane_id ORDER BY run_id, position) AS place
    FROM unnest($ids::uuid[], $runs::uuid[], $lanes::bigint[], $phases::integer[], $positions::integer[],
                $task_ids::text[], $components::text[], $configurations::text[],
                $versions::integer[], $parameters::json[], $max_attempts::integer[], $delays::float8[],
                $backoffs::float8[], $timeouts::float8[], $retry_on::text[])
        AS c (id, run_id, lane_id, phase, position, task_id, component, configuration, version, parameters,
              max_attempts, attempt_delay_seconds, attempt_backoff, timeout_seconds, retry_on)
), numbered AS (
    UPDATE jobs.lanes l SET next_seq = l.next_seq + c.n
    FROM (SELECT lane_id, count(*) AS n FROM child GROUP BY lane_id) AS c
    WHERE l.id = c.lane_id
    RETURNING l.id, l.next_seq - c.n AS first,
        NOT EXISTS (
            SELECT 1 FROM jobs.jobs a
            WHERE a.lane_id = l.id AND a.status IN ('ready', 'processing', 'terminating'))
        AND NOT EXISTS (
            SELECT 1 FROM jobs.jobs w
            WHERE w.lane_id = l.id AND w.status = 'waiting' AND (NOT w.delayed OR w.due_at <= clock_timestamp()))
        AS is_free
), alive AS (
    -- As in `claim`: keeps this replica from being declared lost before we commit.
    SELECT id FROM jobs.replicas
    WHERE id = $replica AND $slots > 0 AND lost_at IS NULL AND lease_until > clock_timestamp()
    FOR KEY SHARE
), placed AS (
    SELECT c.*, n.first + c.place - 1 AS seq, r.project, r.root_id, r.depth, r.chain_length, r.requested_by,
           r.token_id, r.attended,
           r.scheduled_for, r.previous_success, n.is_free AND c.place = 1 AS is_next,
           c.component <> 'orchestrator' AND c.version IS NOT NULL AND n.is_free AND c.place = 1
               AND EXISTS (SELECT 1 FROM alive)
               AND (SELECT p.parallel_limit FROM catalog.projects_v1 p WHERE p.id = r.project) IS NULL AS may_begin
    FROM child c JOIN numbered n ON n.id = c.lane_id JOIN jobs.jobs r ON r.id = c.run_id
), line AS (
    SELECT *, may_begin AND row_number() OVER (PARTITION BY may_begin ORDER BY run_id, position) <= $slots AS begins
    FROM placed
), made AS (
    INSERT INTO jobs.jobs (
        id, lane_id, seq, project, component, configuration, kind, status, ready_at, origin, parent_id, root_id, depth,
        phase, task_id, requested_by, token_id, attended, parameters, parameters_as_written,
        scheduled_for, previous_success, requested_at, max_attempts, attempt_delay_seconds, attempt_backoff,
        timeout_seconds, retry_on, version, pinned_version,
        epoch, attempt, replica_id, started_at, chain_length)
    SELECT id, lane_id, seq, project, component, configuration,
           CASE component WHEN 'orchestrator' THEN 'run' ELSE 'component' END,
           CASE WHEN begins THEN 'processing' WHEN is_next THEN 'ready' ELSE 'waiting' END,
           CASE WHEN is_next THEN clock_timestamp() END,
           'parent', run_id, root_id, depth + 1, phase, task_id, requested_by, token_id, attended,
           parameters::jsonb, parameters, scheduled_for, previous_success, clock_timestamp(), max_attempts,
           attempt_delay_seconds, attempt_backoff, timeout_seconds, retry_on, version, version,
           begins::integer, begins::integer, CASE WHEN begins THEN $replica::uuid END,
           CASE WHEN begins THEN clock_timestamp() END, chain_length
    FROM line
    RETURNING *
), recorded AS (
    INSERT INTO jobs.attempts (job_id, attempt, replica_id, due_at, ready_at)
    SELECT id, 1, $replica, due_at, ready_at FROM made WHERE status = 'processing'
), linked AS (
    UPDATE jobs.tasks t SET status = 'started', job_id = made.id
    FROM made WHERE (t.run_id, t.task_id) = (made.parent_id, made.task_id)
), begun AS (
    UPDATE jobs.phases p SET started_at = clock_timestamp()
    FROM (SELECT DISTINCT run_id, phase FROM child) AS c WHERE (p.run_id, p.index) = (c.run_id, c.phase)
)
SELECT j.id, j.kind, j.status, j.lane_id, j.project, j.component, j.configuration, j.version, j.parent_id AS run_id,
       j.root_id,
       j.phase, j.task_id, j.epoch, j.attempt, j.free_attempts, j.max_attempts, j.attempt_delay_seconds,
       j.attempt_backoff, j.retry_on, j.timeout_seconds,
       coalesce(j.parameters_as_written, j.parameters::json) AS parameters, j.scheduled_for,
                                                                  j.previous_success, j.revision,
       (SELECT CASE WHEN o.revoked_at IS NOT NULL THEN 'revoked'
                    WHEN NOT o.components && ARRAY['*', j.component] THEN 'component' END
        FROM catalog.orchestration_tokens_v1 o WHERE o.token_id = j.token_id) AS token_refusal,
       0.0::float8 AS seconds_ready, c.executor, coalesce(c.after_crash = 'rerun', false) AS safe_to_rerun,
       c.updated_at AS component_saved_at,
       j.status = 'processing' AND EXISTS (
           SELECT 1 FROM jobs.configuration_states s
           WHERE (s.project, s.component, s.configuration) = (j.project, j.component, j.configuration)) AS has_state
FROM made j LEFT JOIN catalog.components_v1 c ON c.id = j.component

-- name: plan_step
-- Reads from the runs outwards by lateral index scans: a plan that needs statistics would be slow on a new
-- installation.
WITH planned AS (
    SELECT unnest($runs::uuid[]) AS run_id
    UNION
    SELECT batch.run_id
    FROM unnest($ended_runs::uuid[], $ended_phases::integer[], $counts::integer[]) AS batch (run_id, index, finished)
    CROSS JOIN LATERAL (
        SELECT 1 FROM jobs.phases p
        WHERE p.run_id = batch.run_id AND p.index = batch.index AND p.remaining <= batch.finished) AS nearly_done
)
SELECT r.id AS run_id, r.lane_id FROM planned JOIN jobs.jobs r ON r.id = planned.run_id
UNION ALL
SELECT planned.run_id, t.lane_id
FROM planned
CROSS JOIN LATERAL (
    SELECT p.index FROM jobs.phases p
    WHERE p.run_id = planned.run_id AND p.started_at IS NULL AND p.remaining > 0
    ORDER BY p.run_id, p.index LIMIT 1) AS next
CROSS JOIN LATERAL (
    SELECT x.lane_id FROM jobs.tasks x
    WHERE x.run_id = planned.run_id AND x.phase = next.index AND x.status = 'pending') AS t

-- name: lock_step
-- Lanes in id order, then runs from the deepest up. The second scan depends on the first, so PostgreSQL
-- cannot reorder them. Later statements read what these rows guard, in a snapshot taken after the locks.
WITH lane AS MATERIALIZED (
    SELECT id FROM jobs.lanes WHERE id = ANY ($lanes::bigint[]) ORDER BY id FOR NO KEY UPDATE
), locked AS MATERIALIZED (SELECT count(*) AS lanes FROM lane)
SELECT r.id, r.lane_id, r.status
FROM locked, jobs.jobs r
WHERE r.id = ANY ($runs::uuid[]) AND locked.lanes >= 0
ORDER BY r.depth DESC, r.id FOR NO KEY UPDATE OF r

-- name: unapplied_results
-- Each attempt of a nested run is a run of its own, so `attempt` counts the runs of its task.
SELECT j.id, j.parent_id, j.task_id, j.phase, j.status, j.kind, j.lane_id, j.message, j.started_at, j.error_kind,
       j.max_attempts, j.attempt_delay_seconds, j.attempt_backoff, j.retry_on, 0 AS free_attempts,
       CASE WHEN j.kind = 'run' AND j.status = 'error' AND j.max_attempts > 1 THEN (
           SELECT count(*) FROM jobs.jobs s
           WHERE s.parent_id = j.parent_id AND s.phase = j.phase AND s.task_id = j.task_id) ELSE 1 END AS attempt
FROM jobs.jobs j
JOIN jobs.tasks t ON (t.run_id, t.task_id) = (j.parent_id, j.task_id)
WHERE j.id = ANY ($jobs::uuid[]) AND j.finished_at IS NOT NULL AND t.status = 'started' AND t.job_id = j.id

-- name: repeat_run
-- Another attempt of a nested run, in its lane, which the caller has locked.
WITH numbered AS (
    UPDATE jobs.lanes l SET next_seq = l.next_seq + 1
    FROM jobs.jobs j WHERE j.id = $run AND l.id = j.lane_id
    RETURNING l.id, l.next_seq - 1 AS seq
), made AS (
    INSERT INTO jobs.jobs (
        id, lane_id, seq, project, component, configuration, kind, status, origin, parent_id, root_id, depth, phase,
        task_id, requested_by, token_id, attended, retry_of, pinned_version, parameters, parameters_as_written,
        scheduled_for, previous_success, requested_at, max_attempts, attempt_delay_seconds, attempt_backoff, retry_on,
        due_at, delayed, chain_length)
    SELECT $id, j.lane_id, n.seq, j.project, j.component, j.configuration, j.kind, 'waiting', j.origin, j.parent_id,
           j.root_id, j.depth, j.phase, j.task_id, j.requested_by, j.token_id, j.attended, j.id, j.pinned_version,
           j.parameters, j.parameters_as_written, j.scheduled_for, j.previous_success, clock_timestamp(),
           j.max_attempts, j.attempt_delay_seconds,
           j.attempt_backoff, j.retry_on, clock_timestamp() + make_interval(secs => $delay_seconds),
           $delay_seconds > 0, j.chain_length
    FROM jobs.jobs j JOIN numbered n ON n.id = j.lane_id WHERE j.id = $run
    RETURNING id, kind, status, project, revision, parent_id, task_id
), linked AS (
    UPDATE jobs.tasks t SET job_id = made.id
    FROM made WHERE (t.run_id, t.task_id) = (made.parent_id, made.task_id) AND t.job_id = $run
)
SELECT id, kind, status, project, revision FROM made

-- name: apply_results
-- Applies the ends of tasks to locked runs. Returns how many tasks are left in the phases concerned, and
-- every task of the runs in $going_on as it was before this statement; tasks of the next phase come with their
-- requests.
WITH ended AS (
    UPDATE jobs.tasks t SET status = result.status
    FROM unnest($runs::uuid[], $task_ids::text[], $jobs::uuid[], $statuses::text[])
        AS result (run_id, task_id, job_id, status)
    WHERE t.run_id = result.run_id AND t.task_id = result.task_id AND t.job_id = result.job_id
        AND t.status = 'started'
    RETURNING t.run_id, t.phase
), done AS (
    SELECT run_id, phase, count(*) AS n FROM ended GROUP BY run_id, phase
), counted AS (
    UPDATE jobs.phases p
    SET remaining = p.remaining - done.n,
        finished_at = CASE WHEN p.remaining = done.n THEN clock_timestamp() END
    FROM done WHERE (p.run_id, p.index) = (done.run_id, done.phase)
    RETURNING p.run_id, p.index, p.remaining,
        extract(epoch FROM p.finished_at - p.started_at)::float8 AS seconds
), task AS (
    SELECT *, min(phase) FILTER (WHERE status = 'pending') OVER (PARTITION BY run_id) AS first_pending
    FROM jobs.tasks WHERE run_id = ANY ($going_on::uuid[])
)
SELECT run_id, index AS phase, remaining, NULL AS task_id, NULL AS position, NULL AS active, NULL AS status,
       NULL AS job_id, NULL AS continue_on_failure, NULL AS component, NULL AS configuration, NULL AS version,
       NULL AS lane_id, NULL AS request, seconds
FROM counted
UNION ALL
SELECT run_id, phase, NULL, task_id, position, active, status, job_id, continue_on_failure, component, configuration,
       version, lane_id, CASE WHEN status = 'pending' AND phase = first_pending
                               THEN coalesce(request_as_written, request::json) END, NULL
FROM task
ORDER BY run_id, phase, position

-- name: end_runs
WITH ending AS (
    SELECT * FROM unnest($runs::uuid[], $statuses::text[], $messages::text[], $error_kinds::text[], $reasons::text[])
        AS e (id, status, message, error_kind, reason)
), unreached AS (
    UPDATE jobs.tasks t SET status = 'not_executed' FROM ending e WHERE t.run_id = e.id AND t.status = 'pending'
)
UPDATE jobs.jobs j
SET status = e.status, message = e.message, end_reason = e.reason, finished_at = clock_timestamp(),
    revision = j.revision + 1,
    error_kind = CASE WHEN e.error_kind IS NOT NULL AND EXISTS (
        SELECT 1 FROM jobs.tasks t JOIN jobs.jobs c ON c.id = t.job_id
        WHERE t.run_id = j.id AND t.status = 'error' AND c.error_kind = 'internal') THEN 'internal' ELSE e.error_kind END
FROM ending e WHERE j.id = e.id AND j.status IN ('processing', 'terminating')
RETURNING j.id, j.lane_id, j.seq, j.project, j.component, j.configuration, j.kind, j.status, j.origin, j.parent_id,
          j.root_id, j.trigger_id, j.schedule_id, j.revision, j.accepted_at, j.started_at, j.finished_at, j.full_run

-- name: runs_to_go_on
SELECT r.id
FROM jobs.jobs r
WHERE r.kind = 'run' AND r.status IN ('processing', 'terminating')
    AND NOT EXISTS (SELECT 1 FROM jobs.tasks t WHERE t.run_id = r.id AND t.status = 'started')
LIMIT 500

-- name: overlooked_results
SELECT j.id
FROM jobs.jobs r
JOIN jobs.tasks t ON t.run_id = r.id AND t.status = 'started'
JOIN jobs.jobs j ON j.id = t.job_id AND j.finished_at IS NOT NULL
WHERE r.kind = 'run' AND r.status IN ('processing', 'terminating')
LIMIT 500

-- name: unfinished_runs
-- A run whose delay has passed stays marked as delayed until its lane is free: it waits like any other.
SELECT id, lane_id, seq, status, parent_id, configuration AS orchestration FROM jobs.jobs
WHERE kind = 'run' AND finished_at IS NULL AND (NOT delayed OR due_at <= clock_timestamp())
    AND EXISTS (SELECT 1 FROM jobs.jobs w
                WHERE w.kind = 'run' AND w.finished_at IS NULL AND w.status = 'waiting' AND w.parent_id IS NOT NULL)
LIMIT 20000

-- name: break_cycle
UPDATE jobs.jobs
SET status = 'error', error_kind = 'user', message = $message, finished_at = clock_timestamp(), revision = revision + 1
WHERE id = $run AND status = 'waiting'
RETURNING id, lane_id, seq, project, component, configuration, kind, status, origin, parent_id,
          root_id, trigger_id, schedule_id, revision, accepted_at, started_at, finished_at, full_run

-- Runs that need attention: failures that nothing has solved, and what takes long.

-- name: unsolved_failures
-- The newest failure of each orchestration, unless a later run of it went well. Goes from lane to lane along
-- jobs_failed_runs: orchestrations that never failed cost nothing.
WITH RECURSIVE failed AS (
    (SELECT j.lane_id, j.number, j.id, j.configuration, j.finished_at, j.message FROM jobs.jobs_v1 j
     WHERE j.project = $project AND j.kind = 'run' AND j.exact_status = 'error' AND j.parent_id IS NULL
     ORDER BY j.lane_id, j.number DESC
     LIMIT 1)
    UNION ALL
    SELECT next.* FROM failed f
    CROSS JOIN LATERAL (
        SELECT j.lane_id, j.number, j.id, j.configuration, j.finished_at, j.message FROM jobs.jobs_v1 j
        WHERE j.project = $project AND j.kind = 'run' AND j.exact_status = 'error' AND j.parent_id IS NULL
          AND j.lane_id > f.lane_id
        ORDER BY j.lane_id, j.number DESC
        LIMIT 1) next
)
SELECT f.id, f.configuration AS orchestration, c.name, f.number, f.finished_at, left(f.message, 1000) AS message
FROM failed f
CROSS JOIN LATERAL (
    SELECT c.name FROM catalog.configurations c
    WHERE (c.project, c.component, c.id) = ($project, 'orchestrator', f.configuration) AND c.deleted_at IS NULL
    LIMIT 1) c
WHERE (SELECT true FROM jobs.jobs_v1 later
       WHERE later.lane_id = f.lane_id AND later.number > f.number AND later.exact_status IN ('success', 'warning')
       ORDER BY later.number LIMIT 1) IS NULL
LIMIT $limit

-- name: first_failed_tasks
-- The task that failed first in each of these runs, with what its job said.
SELECT wanted.run AS id, task.task_id, task.name, left(task.message, 1000) AS message
FROM unnest($runs::uuid[]) AS wanted (run)
CROSS JOIN LATERAL (
    SELECT t.task_id, t.name, j.message
    FROM jobs.tasks_v1 t
    LEFT JOIN jobs.jobs_v1 j ON j.id = t.job_id
    WHERE t.run_id = wanted.run AND t.status = 'error'
    ORDER BY t.phase, j.finished_at, t.position
    LIMIT 1) task
WHERE EXISTS (SELECT FROM jobs.jobs_v1 o WHERE o.id = wanted.run AND o.project = $project)

-- name: long_unfinished_runs
-- Runs that wait or work for more than $seconds, with the means of those among the last 50 before them that succeeded.
SELECT j.id, j.configuration AS orchestration, c.name, j.number, j.status, j.accepted_at, j.started_at,
       usual.runs, usual.waited_seconds, usual.ran_seconds
FROM jobs.jobs_v1 j
CROSS JOIN LATERAL (
    SELECT c.name FROM catalog.configurations c
    WHERE (c.project, c.component, c.id) = ($project, 'orchestrator', j.configuration) AND c.deleted_at IS NULL
    LIMIT 1) c
CROSS JOIN LATERAL (
    SELECT count(*) AS runs,
           avg(extract(epoch FROM last.started_at - last.accepted_at))::float8 AS waited_seconds,
           avg(extract(epoch FROM last.finished_at - last.started_at))::float8 AS ran_seconds
    FROM (
        SELECT recent.accepted_at, recent.started_at, recent.finished_at
        FROM (
            SELECT b.number, b.status, b.full_run, b.accepted_at, b.started_at, b.finished_at FROM jobs.jobs_v1 b
            WHERE b.lane_id = j.lane_id AND b.number < j.number
            ORDER BY b.number DESC
            LIMIT 50) recent
        WHERE recent.status = 'success' AND recent.full_run IS DISTINCT FROM false AND recent.started_at IS NOT NULL
        ORDER BY recent.number DESC
        LIMIT 20) last) usual
WHERE j.kind = 'run' AND j.finished_at IS NULL AND j.depth = 0 AND j.project = $project
  AND coalesce(j.started_at, j.accepted_at) < clock_timestamp() - make_interval(secs => $seconds)
ORDER BY j.id
LIMIT $limit

-- Why runs failed.

-- name: first_failure
-- The first job that failed in a run and the runs nested in it, or the job itself. Jobs of components come before runs,
-- which fail because of them, and failures that ended their run before those that it was to survive.
WITH RECURSIVE runs AS (
    SELECT j.id FROM jobs.jobs_v1 j WHERE j.id = $job_id AND j.project = $project
    UNION ALL
    SELECT c.id FROM runs r JOIN jobs.jobs_v1 c ON c.parent_id = r.id WHERE c.kind = 'run'
), failed AS MATERIALIZED (
    SELECT j.* FROM jobs.jobs_v1 j WHERE j.id = $job_id AND j.project = $project AND j.status = 'error'
    UNION ALL
    SELECT c.* FROM runs r JOIN jobs.jobs_v1 c ON c.parent_id = r.id WHERE c.status = 'error'
)
SELECT f.id, f.number, f.component, f.configuration, f.attempt, f.version, f.error_kind, f.message, f.finished_at,
       run.id AS run_id, run.number AS run_number, run.configuration AS orchestration, p.name AS phase,
       t.task_id, t.name AS task_name,
       greatest(count(*) FILTER (WHERE f.kind = 'component') OVER (), 1) AS failed
FROM failed f
LEFT JOIN jobs.jobs_v1 run ON run.id = f.parent_id
LEFT JOIN jobs.tasks_v1 t ON t.run_id = f.parent_id AND t.task_id = f.task_id
LEFT JOIN jobs.phases_v1 p ON p.run_id = f.parent_id AND p.index = t.phase
ORDER BY f.kind = 'run', coalesce(t.continue_on_failure, false), CASE f.kind WHEN 'run' THEN -f.depth END, f.finished_at, f.id
LIMIT 1

-- name: jobs_before
-- The last 200 jobs of a configuration before one, newest first: in a lane, numbers have no gaps.
SELECT j.id, j.number, j.status, j.error_kind, CASE j.status WHEN 'error' THEN j.message END AS message, j.version,
       j.finished_at, run.id AS run_id, run.number AS run_number, run.configuration AS orchestration
FROM (
    SELECT b.id, b.number, b.status, b.error_kind, b.message, b.version, b.finished_at, b.parent_id
    FROM jobs.jobs_v1 b
    WHERE b.lane_id = (SELECT l.id FROM jobs.lanes_v1 l
                       WHERE (l.project, l.component, l.configuration) = ($project, $component, $configuration))
      AND b.number < $number AND b.number >= $number - 200) AS j
LEFT JOIN LATERAL (
    SELECT r.id, r.number, r.configuration FROM jobs.jobs_v1 r WHERE r.id = j.parent_id LIMIT 1) AS run ON true
ORDER BY j.number DESC

-- The contents of a mail about a run.

-- name: run
SELECT j.id, j.number, j.project, p.name AS project_name, j.configuration AS orchestration, c.name, j.status, j.origin,
       j.requested_by, j.stop_requested_by, j.scheduled_for, j.started_at, j.finished_at, j.message, j.end_reason,
       j.version, s.name AS schedule, t.name AS trigger,
       r.id AS root_id, r.number AS root_number, r.configuration AS root_orchestration, r.origin AS root_origin,
       rs.name AS root_schedule, rt.name AS root_trigger, r.requested_by AS root_requested_by
FROM jobs.jobs_v1 j
LEFT JOIN jobs.jobs_v1 r ON r.id = j.root_id
LEFT JOIN catalog.projects_v1 p ON p.id = j.project
LEFT JOIN catalog.configurations_v1 c ON (c.project, c.component, c.id) = (j.project, j.component, j.configuration)
LEFT JOIN catalog.schedules_v1 s ON s.id = j.schedule_id
LEFT JOIN catalog.triggers_v1 t ON t.id = j.trigger_id
LEFT JOIN catalog.schedules_v1 rs ON rs.id = r.schedule_id
LEFT JOIN catalog.triggers_v1 rt ON rt.id = r.trigger_id
WHERE j.id = $job_id

-- name: failed_tasks
WITH RECURSIVE failed AS (
    SELECT t.task_id, t.component, t.configuration, t.status, t.continue_on_failure, t.job_id, h.name AS phase,
           ARRAY[t.task_id] AS path, ARRAY[t.name] AS names, ARRAY[t.phase, t.position] AS place
    FROM jobs.tasks_v1 t JOIN jobs.phases_v1 h ON (h.run_id, h.index) = (t.run_id, t.phase)
    WHERE t.run_id = $job_id AND t.status IN ('error', 'warning', 'terminated', 'cancelled')
    UNION ALL
    SELECT t.task_id, t.component, t.configuration, t.status, t.continue_on_failure, t.job_id, h.name,
           f.path || t.task_id, f.names || t.name, f.place || ARRAY[t.phase, t.position]
    FROM failed f
    JOIN jobs.tasks_v1 t ON t.run_id = f.job_id
    JOIN jobs.phases_v1 h ON (h.run_id, h.index) = (t.run_id, t.phase)
    WHERE f.component = 'orchestrator' AND t.status IN ('error', 'warning', 'terminated', 'cancelled')
)
SELECT f.path, f.names, f.phase, f.component, f.configuration, f.status, f.continue_on_failure, f.job_id,
       j.message, j.attempt, j.started_at, j.finished_at, count(*) OVER () AS total
FROM failed f LEFT JOIN jobs.jobs_v1 j ON j.id = f.job_id
ORDER BY f.place LIMIT $limit

-- name: task_counts
SELECT status, count(*) AS count FROM jobs.tasks_v1 WHERE run_id = $job_id GROUP BY status

-- name: tasks_to_repeat
SELECT task_id FROM jobs.tasks_v1
WHERE run_id = $job_id AND status NOT IN ('success', 'warning', 'skipped')
ORDER BY phase, position LIMIT $limit

-- name: log_tail
SELECT right(l.text, 8000) AS text
FROM jobs.logs_v1 l
WHERE l.job_id = $job_id AND l.attempt = (SELECT max(a.attempt) FROM jobs.logs_v1 a WHERE a.job_id = $job_id)
ORDER BY l.seq DESC LIMIT 60

-- name: schedule
SELECT s.name, s.cron, s.every_seconds, s.timezone FROM catalog.schedules_v1 s WHERE s.id = $id

-- name: trigger
SELECT t.name FROM catalog.triggers_v1 t WHERE t.id = $id

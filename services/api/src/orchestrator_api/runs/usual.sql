-- How long jobs usually take: the mean of their last 20 successes, without partial runs; unknown with fewer than 5.

-- name: usual_durations
SELECT w.component, w.configuration, usual.seconds
FROM unnest($components::text[], $configurations::text[]) AS w (component, configuration)
JOIN jobs.lanes_v1 l ON (l.project, l.component, l.configuration) = ($project, w.component, w.configuration)
CROSS JOIN LATERAL (
    SELECT avg(extract(epoch FROM last.finished_at - last.started_at))::float8 AS seconds
    FROM (
        SELECT j.started_at, j.finished_at FROM jobs.jobs_v1 j
        WHERE j.lane_id = l.id AND j.exact_status = 'success' AND j.full_run IS DISTINCT FROM false
          AND j.started_at IS NOT NULL
        ORDER BY j.number DESC
        LIMIT 20) last
    HAVING count(*) >= 5) usual

-- name: usual_phases
-- Of the run's orchestration; phases are compared by name, because their places change.
SELECT p.name, avg(extract(epoch FROM p.finished_at - p.started_at))::float8 AS seconds
FROM jobs.jobs_v1 o
CROSS JOIN LATERAL (
    SELECT j.id FROM jobs.jobs_v1 j
    WHERE j.lane_id = o.lane_id AND j.exact_status = 'success' AND j.full_run IS DISTINCT FROM false
      AND j.started_at IS NOT NULL
    ORDER BY j.number DESC
    LIMIT 20) last
JOIN jobs.phases_v1 p ON p.run_id = last.id
WHERE o.id = $run AND o.project = $project AND p.started_at IS NOT NULL AND p.finished_at IS NOT NULL
GROUP BY p.name
HAVING count(*) >= 5

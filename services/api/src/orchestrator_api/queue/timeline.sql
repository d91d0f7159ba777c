-- What a run's jobs waited for, from the times that were recorded.

-- name: timeline_jobs
-- The job, the jobs of its tasks, and the longest path: of each phase the job that ended last, or has not ended; of a
-- nested run, its phases.
WITH RECURSIVE path AS (
    SELECT j.id, j.kind FROM jobs.jobs_v1 j WHERE j.id = $job_id AND j.project = $project
    UNION ALL
    SELECT last.id, last.kind
    FROM path p
    JOIN jobs.phases_v1 f ON f.run_id = p.id
    CROSS JOIN LATERAL (
        SELECT c.id, c.kind FROM jobs.jobs_v1 c
        WHERE c.parent_id = p.id AND c.phase = f.index
        ORDER BY c.finished_at DESC NULLS FIRST, c.accepted_at DESC, c.id
        LIMIT 1) AS last
    WHERE p.kind = 'run'
), wanted AS (
    SELECT id, bool_or(is_on_path) AS is_on_path FROM (
        SELECT p.id, true AS is_on_path FROM path p
        UNION ALL
        SELECT c.id, false FROM path p JOIN jobs.jobs_v1 c ON c.parent_id = p.id WHERE p.id = $job_id) AS each
    GROUP BY id
)
SELECT j.id, j.parent_id, j.task_id, j.status, j.component, j.configuration, j.requested_at,
       j.accepted_at, j.due_at, j.ready_at, j.started_at, j.finished_at, w.is_on_path
FROM wanted w JOIN jobs.jobs_v1 j ON j.id = w.id
ORDER BY j.accepted_at, j.id

-- name: timeline_attempts
SELECT a.job_id, a.attempt, a.due_at, a.ready_at, a.started_at, a.finished_at, a.outcome
FROM jobs.jobs_v1 j JOIN jobs.attempts_v1 a ON a.job_id = j.id
WHERE j.project = $project AND j.id = ANY ($ids::uuid[])
ORDER BY a.job_id, a.attempt

-- name: holders
-- Who held the lane during each wait. A lane is served in the order of its numbers, so who held it has one of the last
-- numbers before the waiting job's or, where that one was between two attempts, one of the next after it; a wait behind
-- more than $near others has its oldest holders left out. A job holds its lane from ready to the end of each attempt.
SELECT wait.place, near.id AS job_id, span.begin, span."end"
FROM unnest($ids::uuid[], $begins::timestamptz[], $ends::timestamptz[])
    WITH ORDINALITY AS wait (job_id, begin, "end", place)
JOIN jobs.jobs_v1 me ON me.id = wait.job_id AND me.project = $project
JOIN jobs.jobs_v1 near ON near.lane_id = me.lane_id AND near.id <> me.id
    AND near.number BETWEEN me.number - $near::integer AND me.number + $near
    AND (near.finished_at IS NULL OR near.finished_at > wait.begin)
CROSS JOIN LATERAL (
    SELECT coalesce(a.ready_at, a.started_at) AS begin, coalesce(a.finished_at, near.finished_at) AS "end"
    FROM jobs.attempts_v1 a WHERE a.job_id = near.id
    UNION ALL
    SELECT coalesce(near.ready_at, near.started_at), near.finished_at
    WHERE near.kind = 'run' OR near.exact_status = 'ready' OR near.attempt = 0
) AS span
WHERE span.begin < wait."end" AND (span."end" IS NULL OR span."end" > wait.begin)
ORDER BY wait.place, span.begin

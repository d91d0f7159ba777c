-- Timers of runs that may take or wait too long, one per run and subscription.

-- name: runs_to_watch
-- Unattended runs that are not over, or ended only shortly before the mark, so their events may have been lost.
SELECT j.id FROM jobs.jobs_v1 j
WHERE j.kind = 'run' AND NOT j.attended AND j.finished_at IS NULL
    AND EXISTS (SELECT FROM catalog.subscriptions_v1 s
        WHERE (s.project, s.orchestration) = (j.project, j.configuration) AND s.event IN ('processing_long', 'waiting_long'))
UNION ALL
SELECT j.id FROM jobs.jobs_v1 j
WHERE j.kind = 'run' AND NOT j.attended
    AND j.finished_at > (SELECT p.finished_at FROM notifications.progress p WHERE p.name = 'runs')
        - make_interval(secs => $overlap_seconds)
    AND EXISTS (SELECT FROM catalog.subscriptions_v1 s
        WHERE (s.project, s.orchestration) = (j.project, j.configuration) AND s.event IN ('processing_long', 'waiting_long'))

-- name: watched
-- These runs with every subscription to their being late. The usual duration is the one known at the start: the mean of
-- the last 20 full successes among the 200 runs before it; usual_runs says how many there were.
SELECT j.id AS job_id, s.id AS subscription_id, j.root_id, j.project, j.configuration AS orchestration, s.event, s.address,
       s.percent, s.minutes, s.changed_at AS since, j.accepted_at, j.started_at, j.finished_at,
       usual.seconds AS usual_seconds, coalesce(usual.runs, 0) AS usual_runs
FROM jobs.jobs_v1 j
JOIN catalog.subscriptions_v1 s ON (s.project, s.orchestration) = (j.project, j.configuration)
    AND s.channel = 'email' AND s.event IN ('processing_long', 'waiting_long')
LEFT JOIN LATERAL (
    SELECT avg(extract(epoch FROM last.finished_at - last.started_at))::float8 AS seconds, count(*) AS runs
    FROM (
        SELECT recent.started_at, recent.finished_at
        FROM (
            SELECT r.number, r.status, r.full_run, r.started_at, r.finished_at FROM jobs.jobs_v1 r
            WHERE r.lane_id = j.lane_id AND r.number < j.number
            ORDER BY r.number DESC
            LIMIT 200) recent
        WHERE recent.status = 'success' AND recent.full_run IS DISTINCT FROM false
            AND recent.started_at IS NOT NULL AND recent.finished_at <= j.started_at
        ORDER BY recent.number DESC
        LIMIT 20) last) usual ON s.event = 'processing_long' AND j.started_at IS NOT NULL
WHERE j.id = ANY($runs::uuid[]) AND j.kind = 'run' AND NOT j.attended

-- name: set
INSERT INTO notifications.timers (key, job_id, subscription_id, due_at)
SELECT t.key, t.job_id, t.subscription_id, t.due_at
FROM unnest($keys::text[], $job_ids::uuid[], $subscription_ids::uuid[], $due_at::timestamptz[])
    AS t (key, job_id, subscription_id, due_at)
WHERE NOT EXISTS (SELECT FROM notifications.facts f WHERE f.key = t.key)
ON CONFLICT (key) DO UPDATE SET due_at = excluded.due_at WHERE timers.due_at <> excluded.due_at

-- name: due
SELECT t.key, t.job_id FROM notifications.timers t
WHERE t.due_at <= clock_timestamp()
ORDER BY t.due_at, t.key
LIMIT $limit

-- name: claim
SELECT true FROM notifications.timers t WHERE t.key = $key FOR UPDATE SKIP LOCKED

-- name: drop
DELETE FROM notifications.timers WHERE key = $key

-- name: put_off
UPDATE notifications.timers SET due_at = $due_at WHERE key = $key

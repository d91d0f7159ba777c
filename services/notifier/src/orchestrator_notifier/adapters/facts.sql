-- Facts from job rows: what is heard is only a hint to look here.

-- name: root_of_run
SELECT root_id FROM jobs.jobs_v1 WHERE id = $1 AND kind = 'run' AND finished_at IS NOT NULL

-- name: lock_root
SELECT pg_advisory_xact_lock(hashtextextended('notifications/' || $1::text, 0))

-- name: untold_runs
SELECT j.id, j.root_id, j.project, j.configuration AS orchestration, j.status, j.attended, j.notify,
       (SELECT p.status FROM jobs.jobs_v1 p
        WHERE (p.project, p.component, p.configuration) = (j.project, j.component, j.configuration)
            AND p.number < j.number AND NOT p.attended AND p.finished_at IS NOT NULL AND p.status <> 'cancelled'
        ORDER BY p.number DESC LIMIT 1) AS previous_status
FROM jobs.jobs_v1 j
WHERE j.root_id = $1 AND j.kind = 'run' AND j.finished_at IS NOT NULL
    AND NOT EXISTS (SELECT FROM notifications.facts f WHERE f.key = 'run-finished:' || j.id)
ORDER BY j.finished_at, j.depth DESC, j.id

-- name: insert_fact
INSERT INTO notifications.facts (key, project, orchestration, event, job_id, root_id, detail)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (key) DO NOTHING
RETURNING true

-- name: subscribers
SELECT address FROM catalog.subscriptions_v1
WHERE (project, orchestration, event, channel) = ($1, $2, $3, 'email')

-- name: insert_deliveries
INSERT INTO notifications.deliveries
    (id, fact_key, project, orchestration, event, job_id, root_id, channel, recipient, reason, message_id)
SELECT d.id, $1, $2, $3, $4, $5, $6, 'email', d.recipient, d.reason, d.message_id
FROM unnest($7::uuid[], $8::text[], $9::text[], $10::text[]) AS d (id, recipient, reason, message_id)
ON CONFLICT DO NOTHING
RETURNING recipient, reason

-- name: roots_of_untold_runs
SELECT DISTINCT j.root_id
FROM jobs.jobs_v1 j
WHERE j.kind = 'run'
    AND j.finished_at > (SELECT p.finished_at FROM notifications.progress p WHERE p.name = 'runs')
        - make_interval(secs => $1)
    AND NOT EXISTS (SELECT FROM notifications.facts f WHERE f.key = 'run-finished:' || j.id)
LIMIT $2

-- name: database_time
SELECT clock_timestamp()

-- name: advance
UPDATE notifications.progress SET finished_at = greatest(finished_at, $1) WHERE name = 'runs'

-- name: forget
DELETE FROM notifications.facts
WHERE key IN (
    SELECT f.key FROM notifications.facts f
    WHERE f.made_at < clock_timestamp() - make_interval(days => $1)
        AND NOT EXISTS (SELECT FROM notifications.deliveries d WHERE d.fact_key = f.key AND d.status = 'pending')
    ORDER BY f.made_at
    LIMIT $2)

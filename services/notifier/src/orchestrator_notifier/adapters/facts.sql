-- Facts are made from job rows; messages are only hints to look here.

-- name: root_of_run
SELECT r.id, r.project, r.configuration AS orchestration, r.number
FROM jobs.jobs_v1 j JOIN jobs.jobs_v1 r ON r.id = j.root_id
WHERE j.id = $run AND j.kind = 'run' AND j.finished_at IS NOT NULL

-- name: lock_lane
SELECT pg_advisory_xact_lock(hashtextextended('notifications/' || $project::text || '/' || $orchestration::text, 0))

-- name: unnotified_runs
-- Of this root, and of earlier roots in its lane, whose events may have been lost or overtaken.
WITH roots AS (
    SELECT r.id, r.number FROM jobs.lanes_v1 l JOIN jobs.jobs_v1 r ON r.lane_id = l.id
    WHERE (l.project, l.component, l.configuration) = ($project, 'orchestrator', $orchestration)
        AND r.number BETWEEN $number::bigint - 100 AND $number::bigint
        AND (r.id = $root OR (r.parent_id IS NULL AND r.finished_at >
            (SELECT p.finished_at FROM notifications.progress p WHERE p.name = 'runs')
                - make_interval(secs => $overlap_seconds)))
)
SELECT j.id, j.root_id, j.project, j.configuration AS orchestration, j.status, j.attended, j.notify,
       (SELECT p.status FROM jobs.jobs_v1 p
        WHERE p.lane_id = j.lane_id AND p.number < j.number AND NOT p.attended AND p.finished_at IS NOT NULL
            AND p.status <> 'cancelled'
        ORDER BY p.number DESC LIMIT 1) AS previous_status
FROM roots JOIN jobs.jobs_v1 j ON j.root_id = roots.id
WHERE j.kind = 'run' AND j.finished_at IS NOT NULL
    AND NOT EXISTS (SELECT FROM notifications.facts f WHERE f.key = 'run-finished:' || j.id)
ORDER BY roots.number, j.finished_at, j.depth DESC, j.id

-- name: runs_of_tree
SELECT j.id, j.parent_id, j.task_id, j.status, j.retry_of FROM jobs.jobs_v1 j
WHERE j.root_id = $root AND j.kind = 'run'

-- name: components_of_tree
-- How the components of each run ended.
SELECT DISTINCT j.parent_id, j.status FROM jobs.jobs_v1 j
WHERE j.root_id = $root AND j.kind = 'component' AND j.parent_id IS NOT NULL

-- name: notified_of_root
SELECT lower(d.recipient) AS recipient, d.subject, d.event FROM notifications.deliveries d WHERE d.root_id = $root

-- name: insert_fact
INSERT INTO notifications.facts (key, project, orchestration, event, job_id, root_id, detail)
VALUES ($key, $project, $orchestration, $event, $job_id, $root_id, $detail)
ON CONFLICT (key) DO NOTHING
RETURNING true

-- name: subscribers
SELECT address FROM catalog.subscriptions_v1
WHERE (project, orchestration, event, channel) = ($project, $orchestration, $event, 'email')

-- name: insert_deliveries
INSERT INTO notifications.deliveries
    (id, fact_key, project, orchestration, event, job_id, root_id, subject, channel, recipient, reason, message_id)
SELECT d.id, $key, $project, $orchestration, $event, $job_id, $root_id, $subject, $channel, d.recipient, d.reason,
       d.message_id
FROM unnest($ids::uuid[], $recipients::text[], $reasons::text[], $message_ids::text[])
    AS d (id, recipient, reason, message_id)
ON CONFLICT DO NOTHING
RETURNING recipient, reason

-- name: roots_of_unnotified_runs
SELECT DISTINCT r.id, r.project, r.configuration AS orchestration, r.number
FROM jobs.jobs_v1 j JOIN jobs.jobs_v1 r ON r.id = j.root_id
WHERE j.kind = 'run'
    AND j.finished_at > (SELECT p.finished_at FROM notifications.progress p WHERE p.name = 'runs')
        - make_interval(secs => $overlap_seconds)
    AND NOT EXISTS (SELECT FROM notifications.facts f WHERE f.key = 'run-finished:' || j.id)
ORDER BY r.number, r.id
LIMIT $limit

-- name: database_time
SELECT clock_timestamp()

-- name: advance
UPDATE notifications.progress SET finished_at = greatest(finished_at, $to) WHERE name = 'runs'

-- name: forget
DELETE FROM notifications.facts
WHERE key IN (
    SELECT f.key FROM notifications.facts f
    WHERE f.made_at < clock_timestamp() - make_interval(days => $days)
        AND NOT EXISTS (SELECT FROM notifications.deliveries d WHERE d.fact_key = f.key AND d.status = 'pending')
    ORDER BY f.made_at
    LIMIT $batch)

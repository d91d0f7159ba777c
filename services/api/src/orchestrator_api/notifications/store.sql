-- Subscriptions of orchestrations, and the mails that were or will be sent.

-- name: deliveries
SELECT id, fact_key, orchestration, event, job_id, channel, recipient, reason, status, attempts, next_attempt_at,
       message_id, last_error, created_at, sent_at
FROM notifications.deliveries_v1
WHERE project = $1 AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3))
ORDER BY created_at DESC, id DESC
LIMIT $4

-- name: subscriptions
SELECT v.orchestration, v.event, v.channel, v.address, v.percent, v.minutes, s.automatic
FROM catalog.subscriptions_v1 v JOIN catalog.subscriptions s ON s.id = v.id
WHERE v.project = $1 AND ($2::text IS NULL OR v.orchestration = $2) AND v.channel = 'email' AND v.event <> 'deadline_missed'
ORDER BY v.orchestration, v.address, v.event

-- name: save_subscription
INSERT INTO catalog.subscriptions (id, project, orchestration, event, channel, address, percent, minutes)
VALUES ($1, $2, $3, $4, 'email', $5, $6, $7)
ON CONFLICT (project, orchestration, event, channel, address)
    DO UPDATE SET percent = excluded.percent, minutes = excluded.minutes, automatic = false,
        changed_at = clock_timestamp()

-- name: subscribe_creator
INSERT INTO catalog.subscriptions (id, project, orchestration, event, channel, address, automatic)
VALUES ($1, $2, $3, 'error', 'email', $4, true)
ON CONFLICT DO NOTHING

-- name: delete_subscription
DELETE FROM catalog.subscriptions
WHERE project = $1 AND orchestration = $2 AND event = $3 AND channel = 'email' AND address = $4

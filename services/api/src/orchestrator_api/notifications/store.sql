-- Subscriptions of orchestrations, and the mails that were sent or will be sent.

-- name: subscriptions
SELECT v.orchestration, v.event, v.channel, v.address, v.percent, v.minutes, s.automatic
FROM catalog.subscriptions_v1 v JOIN catalog.subscriptions s ON s.id = v.id
WHERE v.project = $project AND v.orchestration = ANY ($orchestrations::text[])
  AND v.channel = 'email' AND v.event <> 'deadline_missed'
ORDER BY v.orchestration, v.address, v.event

-- name: save_subscription
INSERT INTO catalog.subscriptions (id, project, orchestration, event, channel, address, percent, minutes)
VALUES ($id, $project, $orchestration, $event, 'email', $address, $percent, $minutes)
ON CONFLICT (project, orchestration, event, channel, address)
    DO UPDATE SET percent = excluded.percent, minutes = excluded.minutes, automatic = false,
        changed_at = clock_timestamp()

-- name: save_automatic_subscription
INSERT INTO catalog.subscriptions (id, project, orchestration, event, channel, address, automatic)
VALUES ($id, $project, $orchestration, 'error', 'email', $address, true)
ON CONFLICT DO NOTHING

-- name: delete_subscription
DELETE FROM catalog.subscriptions
WHERE project = $project AND orchestration = $orchestration AND event = $event AND channel = 'email'
  AND address = $address

-- name: delete_subscriptions
DELETE FROM catalog.subscriptions WHERE project = $project AND orchestration = $orchestration

-- name: recent_tests
-- Of the last hour: how many test mails were requested, and in how many seconds the oldest is no longer counted.
SELECT count(*) AS count,
       coalesce(extract(epoch FROM min(at) + interval '1 hour' - clock_timestamp()), 0)::float8 AS seconds_left
FROM catalog.audit
WHERE project = $project AND action = 'notifications.tested' AND at > clock_timestamp() - interval '1 hour'

-- name: deliveries
SELECT id, fact_key, orchestration, event, job_id, channel, recipient, reason, status, attempts, next_attempt_at,
       message_id, last_error, created_at, sent_at
FROM notifications.deliveries_v1
WHERE project = $project AND created_at >= coalesce($since::timestamptz, '-infinity')
  AND created_at < coalesce($until::timestamptz, 'infinity')
  AND (created_at, id) < (coalesce($before::timestamptz, 'infinity'),
                          coalesce($before_id::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
ORDER BY created_at DESC, id DESC
LIMIT $limit

-- name: deliveries_of_orchestration
SELECT id, fact_key, orchestration, event, job_id, channel, recipient, reason, status, attempts, next_attempt_at,
       message_id, last_error, created_at, sent_at
FROM notifications.deliveries_v1
WHERE project = $project AND orchestration = $orchestration
  AND created_at >= coalesce($since::timestamptz, '-infinity')
  AND created_at < coalesce($until::timestamptz, 'infinity')
  AND (created_at, id) < (coalesce($before::timestamptz, 'infinity'),
                          coalesce($before_id::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
ORDER BY created_at DESC, id DESC
LIMIT $limit

-- name: unsent_deliveries
-- Of one status other than sent; the index has only those.
SELECT id, fact_key, orchestration, event, job_id, channel, recipient, reason, status, attempts, next_attempt_at,
       message_id, last_error, created_at, sent_at
FROM notifications.deliveries_v1
WHERE project = $project AND status <> 'sent' AND status = $status
  AND ($orchestration::text IS NULL OR orchestration = $orchestration)
  AND created_at >= coalesce($since::timestamptz, '-infinity')
  AND created_at < coalesce($until::timestamptz, 'infinity')
  AND (created_at, id) < (coalesce($before::timestamptz, 'infinity'),
                          coalesce($before_id::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
ORDER BY created_at DESC, id DESC
LIMIT $limit

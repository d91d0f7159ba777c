-- Deliveries: claimed under a short lease, sent outside any transaction.

-- name: lock_claims
SELECT pg_advisory_xact_lock(hashtextextended('notifications/claims', 0))

-- name: claim
WITH due AS (
    SELECT d.id FROM notifications.deliveries d
    WHERE d.status = 'pending' AND d.channel IN ('email', 'link') AND d.next_attempt_at <= clock_timestamp()
        AND (d.claimed_until IS NULL OR d.claimed_until <= clock_timestamp())
        -- A first try waits while another replica is at an earlier first try to the same recipient.
        AND (d.attempts > 0 OR NOT EXISTS (
            SELECT FROM notifications.deliveries e
            WHERE e.recipient = d.recipient AND e.status = 'pending' AND e.attempts <= 1
                AND (e.created_at, e.id) < (d.created_at, d.id) AND e.claimed_until > clock_timestamp()))
    ORDER BY d.next_attempt_at, d.created_at, d.id
    LIMIT $limit
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE notifications.deliveries d SET claimed_until = clock_timestamp() + make_interval(secs => $lease_seconds)
    FROM due WHERE d.id = due.id
    RETURNING d.*
)
SELECT c.id, c.project, c.orchestration, c.event, c.job_id, c.recipient, c.reason, c.message_id,
       c.claimed_until, f.detail
FROM claimed c JOIN notifications.facts f ON f.key = c.fact_key
ORDER BY c.next_attempt_at, c.created_at, c.id

-- name: begin
UPDATE notifications.deliveries
SET attempts = attempts + 1, claimed_until = clock_timestamp() + make_interval(secs => $lease_seconds)
WHERE id = $id AND status = 'pending' AND claimed_until = $claimed_until
RETURNING claimed_until, attempts, extract(epoch FROM clock_timestamp() - created_at)::float8 AS age

-- name: sent
UPDATE notifications.deliveries
SET status = 'sent', sent_at = clock_timestamp(), claimed_until = NULL, last_error = NULL
WHERE id = $id AND status = 'pending'

-- name: postpone
UPDATE notifications.deliveries
SET next_attempt_at = clock_timestamp() + make_interval(secs => $seconds), claimed_until = NULL, last_error = $error
WHERE id = $id AND status = 'pending' AND claimed_until = $claimed_until

-- name: fail
UPDATE notifications.deliveries SET status = 'failed', claimed_until = NULL, last_error = $error
WHERE id = $id AND status = 'pending' AND claimed_until = $claimed_until

-- name: release
UPDATE notifications.deliveries d SET claimed_until = NULL
FROM unnest($ids::uuid[], $claims::timestamptz[]) AS claim (id, until)
WHERE d.id = claim.id AND d.claimed_until = claim.until AND d.status = 'pending'

-- name: pending
SELECT count(*) AS count, coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS oldest
FROM notifications.deliveries WHERE status = 'pending'

-- Callbacks of other services about runs that a component started there.

-- name: callback_target
SELECT project, job_id, attempt FROM jobs.callbacks_v1 WHERE token_hash = $token_hash

-- name: callback_is_awaited
-- Also true after the attempt has ended, because the service may send the same callback again.
SELECT EXISTS (SELECT FROM jobs.callbacks_v1 WHERE token_hash = $token_hash)
    OR EXISTS (SELECT FROM catalog.callbacks WHERE token_hash = $token_hash)

-- name: callback_is_known
SELECT EXISTS (SELECT 1 FROM catalog.callbacks WHERE token_hash = $token_hash AND body_hash = $body_hash)

-- name: count_callbacks
SELECT count(*) FROM catalog.callbacks WHERE token_hash = $token_hash

-- name: insert_callback
INSERT INTO catalog.callbacks (token_hash, body_hash, job_id, attempt, body)
VALUES ($token_hash, $body_hash, $job_id, $attempt, $body) ON CONFLICT DO NOTHING

-- name: forget_callbacks
DELETE FROM catalog.callbacks WHERE (token_hash, body_hash) IN (
    SELECT c.token_hash, c.body_hash FROM catalog.callbacks c
    WHERE c.received_at < clock_timestamp() - interval '1 day'
        AND NOT EXISTS (SELECT FROM jobs.callbacks_v1 v WHERE v.token_hash = c.token_hash)
    ORDER BY c.received_at LIMIT $batch)

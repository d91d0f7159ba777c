-- Handles and callbacks of attempts that outlive their runner; the epoch fences every write.

-- name: keep_handle
WITH own AS (
    SELECT id, attempt FROM jobs.jobs
    WHERE id = $job AND epoch = $epoch AND status IN ('processing', 'terminating')
    FOR NO KEY UPDATE
)
UPDATE jobs.attempts a SET handle = $handle FROM own WHERE (a.job_id, a.attempt) = (own.id, own.attempt)

-- name: expect_callbacks
WITH own AS (
    SELECT id, attempt FROM jobs.jobs
    WHERE id = $job AND epoch = $epoch AND status IN ('processing', 'terminating')
    FOR NO KEY UPDATE
)
UPDATE jobs.attempts a SET callback_hash = $callback_hash FROM own WHERE (a.job_id, a.attempt) = (own.id, own.attempt)

-- name: callbacks
SELECT seq, body FROM catalog.callbacks_v1 WHERE token_hash = $token_hash AND seq <> ALL ($seen::bigint[]) ORDER BY seq

-- name: logged
SELECT at, line_ends AS lines FROM jobs.logs
WHERE job_id = $job AND attempt = $attempt AND stream = 'stdout' ORDER BY seq DESC LIMIT 1

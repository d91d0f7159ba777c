-- A token that may only run sees the runs that it started, newest first.
CREATE INDEX run_requests_token ON catalog.run_requests (token_id, requested_at DESC, job_id DESC);

-- An HTTP caller's Idempotency-Key: the same request again is answered as before, another one under it is refused.
ALTER TABLE catalog.run_requests ADD COLUMN idempotency_id uuid, ADD COLUMN request_digest bytea;
COMMENT ON COLUMN catalog.run_requests.idempotency_id IS
    'made from project, token and Idempotency-Key; the job''s own id, except of a backfill, which asks for several';
CREATE INDEX run_requests_idempotency ON catalog.run_requests (idempotency_id) WHERE idempotency_id IS NOT NULL;
COMMENT ON COLUMN catalog.run_requests.request_digest IS 'SHA-256 of the request without its parameters';

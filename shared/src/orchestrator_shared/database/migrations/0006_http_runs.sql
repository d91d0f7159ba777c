-- Runs at other services: found again by whoever takes an attempt over, and able to report their end themselves.
ALTER TABLE jobs.attempts ADD COLUMN handle jsonb, ADD COLUMN callback_hash bytea;
COMMENT ON COLUMN jobs.attempts.handle IS
    'which run at another service this attempt is, encrypted; with it the attempt survives its runner';
COMMENT ON COLUMN jobs.attempts.callback_hash IS 'of the token with which that service may report on this attempt';
CREATE UNIQUE INDEX attempts_callback ON jobs.attempts (callback_hash) WHERE callback_hash IS NOT NULL;

CREATE VIEW jobs.callbacks_v1 AS
SELECT a.callback_hash AS token_hash, j.project, a.job_id, a.attempt
FROM jobs.attempts a JOIN jobs.jobs j ON (j.id, j.attempt) = (a.job_id, a.attempt)
WHERE a.callback_hash IS NOT NULL AND j.status IN ('processing', 'terminating');
COMMENT ON VIEW jobs.callbacks_v1 IS 'the tokens that are good: an attempt''s ends with it';

CREATE TABLE catalog.callbacks (
    token_hash bytea NOT NULL,
    body_hash bytea NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    job_id uuid NOT NULL,
    attempt integer NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    body bytea NOT NULL CHECK (octet_length(body) <= 262144),
    PRIMARY KEY (token_hash, body_hash)
);
CREATE INDEX callbacks_received ON catalog.callbacks (received_at);
COMMENT ON TABLE catalog.callbacks IS
    'what other services posted about their runs; the same again is one row. Kept a day beyond the attempt';
CREATE VIEW catalog.callbacks_v1 AS SELECT token_hash, seq, body FROM catalog.callbacks;

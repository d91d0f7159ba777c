-- What each attempt waited for. The job's own row has the times of its newest attempt only, so those of the attempts
-- before it were lost when the next one was due. Runners of the version before write neither.

ALTER TABLE jobs.attempts ADD COLUMN due_at timestamptz, ADD COLUMN ready_at timestamptz;
COMMENT ON COLUMN jobs.attempts.ready_at IS
    'when it got its lane: until then it waited for due_at and for the configuration, from then on for a slot';

CREATE OR REPLACE VIEW jobs.attempts_v1 AS
SELECT job_id, attempt, replica_id, started_at, finished_at, outcome, message, due_at, ready_at FROM jobs.attempts;

-- What must be found without reading every job there ever was.

-- A foreign key without an index: to forget a lost replica read the whole of jobs.jobs. A job that is underway keeps
-- its replica (forget_replicas); what has ended only tells its number.
ALTER TABLE jobs.jobs DROP CONSTRAINT jobs_replica_id_fkey;

-- Chunks are written in the order of time, so a few bytes per megabyte tell where the old ones are.
CREATE INDEX logs_written ON jobs.logs USING brin (at);

-- Shown, `ready` is a kind of waiting. To ask for that is to ask no partial index: those are by the status itself.
CREATE OR REPLACE VIEW jobs.jobs_v1 AS
SELECT j.id, j.seq AS number, j.project, j.component, j.configuration, j.kind,
       CASE j.status WHEN 'ready' THEN 'waiting' ELSE j.status END AS status,
       j.origin, j.parent_id, j.root_id, j.depth, j.phase, j.task_id, j.requested_by, j.token_id, j.notify, j.attended,
       j.schedule_id, j.fire_key, j.trigger_id, j.generation, j.retry_of, j.selection, j.parameters, j.scheduled_for,
       j.previous_success, j.max_attempts, j.attempt, j.free_attempts, j.delayed, j.replica_id, j.revision, j.requested_at, j.accepted_at, j.due_at,
       j.ready_at, j.started_at, j.finished_at, j.stop_requested_at, j.stop_requested_by, j.version, j.full_run,
       j.used_updates, j.message, j.error_kind, j.output_tables, j.lane_id, j.timeout_seconds,
       j.status AS exact_status
FROM jobs.jobs j;
COMMENT ON COLUMN jobs.jobs_v1.exact_status IS 'as status, but tells `ready` from `waiting`; for conditions';

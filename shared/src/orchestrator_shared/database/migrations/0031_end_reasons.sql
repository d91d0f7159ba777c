-- Why a run ended, for programs; `message` says it to people. The version before writes none.

ALTER TABLE jobs.jobs ADD COLUMN end_reason text;
ALTER TABLE jobs.jobs ADD CONSTRAINT jobs_end_reason_check
    CHECK (end_reason IN ('tasks_failed', 'went_on_after_failures', 'nothing_to_run', 'stopped')) NOT VALID;
COMMENT ON COLUMN jobs.jobs.end_reason IS
    'of runs that had started: what decided their end; null where every task succeeded, and where something else did';

CREATE OR REPLACE VIEW jobs.jobs_v1 AS
SELECT j.id, j.seq AS number, j.project, j.component, j.configuration, j.kind,
       CASE j.status WHEN 'ready' THEN 'waiting' ELSE j.status END AS status,
       j.origin, j.parent_id, j.root_id, j.depth, j.phase, j.task_id, j.requested_by, j.token_id, j.notify, j.attended,
       j.schedule_id, j.fire_key, j.trigger_id, j.generation, j.retry_of, j.selection, j.parameters, j.scheduled_for,
       j.previous_success, j.max_attempts, j.attempt, j.free_attempts, j.delayed, j.replica_id, j.revision, j.requested_at, j.accepted_at, j.due_at,
       j.ready_at, j.started_at, j.finished_at, j.stop_requested_at, j.stop_requested_by, j.version, j.full_run,
       j.used_updates, j.message, j.error_kind, j.output_tables, j.lane_id, j.timeout_seconds,
       j.status AS exact_status,
       coalesce(j.parameters_as_written, j.parameters::json) AS parameters_as_written,
       j.end_reason
FROM jobs.jobs j;

-- The order of an object's keys, as a person wrote them: jsonb sorts keys, and the columns of a table came out in its
-- order. json keeps the text. The jsonb beside it stays for conditions, and for the version before this one, which
-- writes only that: whoever reads takes the json where there is one.
ALTER TABLE catalog.configuration_versions ADD COLUMN parameters_as_written json;
ALTER TABLE catalog.run_requests ADD COLUMN parameters_as_written json;
ALTER TABLE catalog.components ADD COLUMN definition_as_written json;
ALTER TABLE jobs.jobs ADD COLUMN parameters_as_written json;
ALTER TABLE jobs.tasks ADD COLUMN request_as_written json;
COMMENT ON COLUMN catalog.configuration_versions.parameters_as_written IS 'parameters, their keys in the order given';
COMMENT ON COLUMN catalog.run_requests.parameters_as_written IS 'parameters, their keys in the order given';
COMMENT ON COLUMN catalog.components.definition_as_written IS 'definition, its keys in the order given';
COMMENT ON COLUMN jobs.jobs.parameters_as_written IS 'parameters, their keys in the order given';
COMMENT ON COLUMN jobs.tasks.request_as_written IS 'request, its keys in the order given';

CREATE OR REPLACE VIEW catalog.configuration_versions_v1 AS
SELECT project, component, configuration, version, parameters,
       coalesce(parameters_as_written, parameters::json) AS parameters_as_written
FROM catalog.configuration_versions;

CREATE OR REPLACE VIEW catalog.run_requests_v1 AS
SELECT job_id, tasks, parameters, retry_of, task_versions,
       coalesce(parameters_as_written, parameters::json) AS parameters_as_written
FROM catalog.run_requests;

-- Components are changed in place, also by the version before this one, which leaves the json as it was.
CREATE OR REPLACE VIEW catalog.components_v1 AS
SELECT id, name, type, executor, after_crash, definition, updated_at,
       CASE WHEN definition_as_written::jsonb = definition THEN definition_as_written
            ELSE definition::json END AS definition_as_written
FROM catalog.components;

CREATE OR REPLACE VIEW jobs.jobs_v1 AS
SELECT j.id, j.seq AS number, j.project, j.component, j.configuration, j.kind,
       CASE j.status WHEN 'ready' THEN 'waiting' ELSE j.status END AS status,
       j.origin, j.parent_id, j.root_id, j.depth, j.phase, j.task_id, j.requested_by, j.token_id, j.notify, j.attended,
       j.schedule_id, j.fire_key, j.trigger_id, j.generation, j.retry_of, j.selection, j.parameters, j.scheduled_for,
       j.previous_success, j.max_attempts, j.attempt, j.free_attempts, j.delayed, j.replica_id, j.revision, j.requested_at, j.accepted_at, j.due_at,
       j.ready_at, j.started_at, j.finished_at, j.stop_requested_at, j.stop_requested_by, j.version, j.full_run,
       j.used_updates, j.message, j.error_kind, j.output_tables, j.lane_id, j.timeout_seconds,
       j.status AS exact_status,
       coalesce(j.parameters_as_written, j.parameters::json) AS parameters_as_written
FROM jobs.jobs j;

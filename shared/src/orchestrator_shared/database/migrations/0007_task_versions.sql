-- Retries run each task with the version of its configuration that the plan shows.
ALTER TABLE catalog.run_requests ADD COLUMN task_versions jsonb CHECK (jsonb_typeof(task_versions) = 'object');
COMMENT ON COLUMN catalog.run_requests.task_versions IS
    'by orchestration, then by task id: the pinned version; whatever is not in it is fixed when the run starts';
CREATE OR REPLACE VIEW catalog.run_requests_v1 AS
SELECT job_id, tasks, parameters, retry_of, task_versions FROM catalog.run_requests;

ALTER TABLE jobs.jobs ADD COLUMN task_versions jsonb;
COMMENT ON COLUMN jobs.jobs.task_versions IS
    'of a root: by orchestration (its own and nested ones), then by task id, the pinned version';

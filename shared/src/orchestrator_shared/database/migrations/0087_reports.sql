-- What dashboards show of orchestrations and their runs: names, statuses and times; no parameters, messages or people.
CREATE SCHEMA reports;
COMMENT ON SCHEMA reports IS 'views for dashboards; all that the role of Grafana may read';

CREATE VIEW reports.orchestrations_v1 AS
SELECT project, id AS orchestration, name, enabled
FROM catalog.configurations
WHERE component = 'orchestrator' AND deleted_at IS NULL;

CREATE VIEW reports.runs_v1 AS
SELECT j.project, j.configuration AS orchestration, j.seq AS number,
       CASE j.status WHEN 'ready' THEN 'waiting' ELSE j.status END AS status,
       j.origin, j.parent_id IS NOT NULL AS nested, j.full_run, j.error_kind, j.end_reason,
       j.accepted_at, j.started_at, j.finished_at
FROM jobs.jobs j
WHERE j.component = 'orchestrator';
COMMENT ON VIEW reports.runs_v1 IS 'an orchestration''s runs by number: index jobs_of_configuration';

CREATE VIEW reports.phases_v1 AS
SELECT j.project, j.configuration AS orchestration, j.seq AS number, p.index, p.name, p.started_at, p.finished_at
FROM jobs.jobs j JOIN jobs.phases p ON p.run_id = j.id
WHERE j.component = 'orchestrator';

-- {orchestrations} orchestrations of two phases with two tasks, each with a schedule, every tenth with a trigger;
-- {jobs} finished jobs: runs of these orchestrations with their tasks; 200 tables, 20,000 audit records.
CREATE TEMPORARY TABLE made AS
SELECT n, 'orchestration-' || lpad(n::text, 5, '0') AS id FROM generate_series(0, {orchestrations} - 1) AS n;

INSERT INTO catalog.configurations (project, component, id, name, version)
SELECT '{project}', 'orchestrator', id, 'Orchestration ' || n, 1 FROM made;

INSERT INTO catalog.configuration_versions (project, component, configuration, version, parameters, author)
SELECT '{project}', 'orchestrator', m.id, 1, jsonb_build_object('phases', (
    SELECT jsonb_agg(jsonb_build_object('name', 'Phase ' || p, 'tasks', (
        SELECT jsonb_agg(jsonb_build_object(
            'id', 'noop/c' || lpad(((m.n * 4 + p * 2 + t) % 1000)::text, 5, '0'), 'name', 'Task ' || t,
            'component', 'noop', 'configuration', 'c' || lpad(((m.n * 4 + p * 2 + t) % 1000)::text, 5, '0'),
            'enabled', true, 'continue_on_failure', false, 'timeout_seconds', 86400, 'attempts', 1,
            'attempt_delay_seconds', 0, 'attempt_backoff', 1.0, 'retry_on', 'any', 'parameters', '{}'::jsonb))
        FROM generate_series(0, 1) AS t)))
    FROM generate_series(0, 1) AS p)), 'benchmark'
FROM made m;

INSERT INTO catalog.schedules (id, project, orchestration, name, cron, timezone, enabled, overlap, misfire, catch_up_seconds)
SELECT gen_random_uuid(), '{project}', id, 'nightly', '30 5 * * *', 'UTC', true, 'one_waiting', 'fire_once', 86400 FROM made;

INSERT INTO catalog.triggers (id, project, orchestration, name, enabled, cool_down_seconds, mode, allow_self_trigger)
SELECT gen_random_uuid(), '{project}', id, 'tables', true, 300, 'ignore', false FROM made WHERE n % 10 = 0;
INSERT INTO catalog.trigger_tables (trigger_id, table_project, table_name)
SELECT t.id, '{project}', 'in.c-sales.table-' || n
FROM catalog.triggers t, generate_series(0, 3) AS n WHERE t.project = '{project}';

INSERT INTO triggers.tables (project, name, last_seq, last_heard_at)
SELECT '{project}', 'in.c-sales.table-' || n, 10, now() FROM generate_series(0, 199) AS n;

INSERT INTO catalog.audit (id, project, actor, action, subject, detail, at)
SELECT gen_random_uuid(), '{project}', 'benchmark', 'orchestration.saved', 'orchestration-00001', '{}',
       now() - n * interval '1 minute'
FROM generate_series(1, 20000) AS n;

INSERT INTO jobs.lanes (project, component, configuration)
SELECT project, component, id FROM catalog.configurations
WHERE project = '{project}' AND (component = 'noop' AND id LIKE 'c%' OR component = 'orchestrator' AND id LIKE 'orchestration-%')
ORDER BY project, component, id;

INSERT INTO jobs.replicas (id, name, slots, lease_until, lost_at)
VALUES ('00000000-0000-7000-8000-000000000001', 'long gone', 8, now() - interval '1 day', now() - interval '1 day');

CREATE TEMPORARY TABLE old_runs AS
SELECT gen_random_uuid() AS id, n, n % {orchestrations} AS orchestration, (n / {orchestrations})::bigint + 1 AS seq,
       now() - interval '60 days' + n * (interval '59 days' / ({jobs} / 5)) AS at,
       CASE WHEN n % 20 = 0 THEN 'error' ELSE 'success' END AS status
FROM generate_series(0, {jobs} / 5 - 1) AS n;

INSERT INTO jobs.jobs (id, lane_id, seq, project, component, configuration, kind, status, origin, root_id, scheduled_for,
                       requested_at, accepted_at, due_at, ready_at, started_at, finished_at, version, full_run, attempt, epoch, revision, error_kind, message)
SELECT r.id, l.id, r.seq, l.project, l.component, l.configuration, 'run', r.status, 'schedule', r.id, r.at,
       r.at, r.at, r.at, r.at, r.at, r.at + interval '1 minute', 1, true, 1, 1, 4,
       CASE r.status WHEN 'error' THEN 'user' END, CASE r.status WHEN 'error' THEN 'a task failed' END
FROM old_runs r
JOIN jobs.lanes l ON (l.project, l.component, l.configuration)
    = ('{project}', 'orchestrator', 'orchestration-' || lpad(r.orchestration::text, 5, '0'));

INSERT INTO jobs.phases (run_id, index, name, remaining, started_at, finished_at)
SELECT r.id, p, 'Phase ' || p, 0, r.at, r.at FROM old_runs r, generate_series(0, 1) AS p;

CREATE TEMPORARY TABLE old_tasks AS
SELECT gen_random_uuid() AS id, r.id AS run_id, r.at, r.status, t / 2 AS phase, t % 2 AS position, r.n * 4 + t AS number,
       'c' || lpad(((r.orchestration * 4 + t) % 1000)::text, 5, '0') AS configuration
FROM old_runs r, generate_series(0, 3) AS t;

INSERT INTO jobs.jobs (id, lane_id, seq, project, component, configuration, kind, status, origin, parent_id, root_id, depth,
                       phase, task_id, scheduled_for, requested_at, accepted_at, due_at, ready_at, started_at, finished_at,
                       version, attempt, epoch, revision, replica_id, error_kind, message)
SELECT t.id, l.id, row_number() OVER (PARTITION BY l.id ORDER BY t.number), l.project, l.component, l.configuration,
       'component', t.status, 'parent', t.run_id, t.run_id, 1, t.phase, 'noop/' || t.configuration,
       t.at, t.at, t.at, t.at, t.at, t.at, t.at + interval '10 seconds', 1, 1, 1, 4, '00000000-0000-7000-8000-000000000001',
       CASE t.status WHEN 'error' THEN 'user' END, CASE t.status WHEN 'error' THEN 'it failed' END
FROM old_tasks t
JOIN jobs.lanes l ON (l.project, l.component, l.configuration) = ('{project}', 'noop', t.configuration);

INSERT INTO jobs.tasks (run_id, phase, position, task_id, name, component, configuration, version, request,
                        continue_on_failure, status, job_id, active, lane_id)
SELECT t.run_id, t.phase, t.position, j.task_id, j.task_id, 'noop', t.configuration, 1, '{}', false, t.status, t.id, true, j.lane_id
FROM old_tasks t JOIN jobs.jobs j ON j.id = t.id;

UPDATE jobs.lanes l SET next_seq = last.seq + 1
FROM (SELECT lane_id, max(seq) AS seq FROM jobs.jobs GROUP BY lane_id) AS last WHERE last.lane_id = l.id;

-- {runs} finished runs of 4 phases x 5 tasks over the lanes of 50 orchestrations and 1,000 configurations.
INSERT INTO jobs.lanes (project, component, configuration)
SELECT project, component, id FROM catalog.configurations
WHERE project = '{project}' AND (component = 'noop' AND id LIKE 'c%' OR component = 'orchestrator' AND id LIKE 'w1-noop-%')
ORDER BY project, component, id;

INSERT INTO jobs.replicas (id, name, slots, lease_until, lost_at)
VALUES ('00000000-0000-7000-8000-000000000001', 'long gone', 8, now() - interval '1 day', now() - interval '1 day');

CREATE TEMPORARY TABLE old_runs AS
SELECT gen_random_uuid() AS id, n, n % 50 AS orchestration, (n / 50)::bigint + 1 AS seq,
       now() - interval '60 days' + n * (interval '59 days' / {runs}) AS at
FROM generate_series(0, {runs} - 1) AS n;

INSERT INTO jobs.jobs (id, lane_id, seq, project, component, configuration, kind, status, origin, root_id, scheduled_for,
                       requested_at, accepted_at, due_at, ready_at, started_at, finished_at, version, full_run, attempt, epoch, revision)
SELECT r.id, l.id, r.seq, l.project, l.component, l.configuration, 'run', 'success', 'api', r.id, r.at,
       r.at, r.at, r.at, r.at, r.at, r.at + interval '1 minute', 1, true, 1, 1, 4
FROM old_runs r
JOIN jobs.lanes l ON (l.project, l.component, l.configuration)
    = ('{project}', 'orchestrator', 'w1-noop-5-' || r.orchestration);

INSERT INTO jobs.phases (run_id, index, name, remaining, started_at, finished_at)
SELECT r.id, p, 'Phase ' || p + 1, 0, r.at, r.at FROM old_runs r, generate_series(0, 3) AS p;

CREATE TEMPORARY TABLE old_tasks AS
SELECT gen_random_uuid() AS id, r.id AS run_id, r.seq, r.at, t / 5 AS phase, t % 5 AS position,
       't' || r.orchestration * 20 + t AS task_id, 'c' || lpad((r.orchestration * 20 + t)::text, 5, '0') AS configuration
FROM old_runs r, generate_series(0, 19) AS t;

INSERT INTO jobs.jobs (id, lane_id, seq, project, component, configuration, kind, status, origin, parent_id, root_id, depth,
                       phase, task_id, scheduled_for, requested_at, accepted_at, due_at, ready_at, started_at, finished_at,
                       version, attempt, epoch, revision, replica_id)
SELECT t.id, l.id, t.seq, l.project, l.component, l.configuration, 'component', 'success', 'parent', t.run_id, t.run_id, 1,
       t.phase, t.task_id, t.at, t.at, t.at, t.at, t.at, t.at, t.at + interval '10 seconds',
       1, 1, 1, 4, '00000000-0000-7000-8000-000000000001'
FROM old_tasks t
JOIN jobs.lanes l ON (l.project, l.component, l.configuration) = ('{project}', 'noop', t.configuration);

INSERT INTO jobs.tasks (run_id, phase, position, task_id, name, component, configuration, version, request,
                        continue_on_failure, status, job_id, active, lane_id)
SELECT t.run_id, t.phase, t.position, t.task_id, t.task_id, 'noop', t.configuration, 1, '{}', false, 'success', t.id, true, j.lane_id
FROM old_tasks t JOIN jobs.jobs j ON j.id = t.id;

INSERT INTO jobs.attempts (job_id, attempt, replica_id, started_at, finished_at, outcome)
SELECT id, 1, '00000000-0000-7000-8000-000000000001', at, at, 'success' FROM old_tasks;

UPDATE jobs.lanes l SET next_seq = last.seq + 1
FROM (SELECT lane_id, max(seq) AS seq FROM jobs.jobs GROUP BY lane_id) AS last WHERE last.lane_id = l.id;

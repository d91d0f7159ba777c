-- Two runs of one orchestration with {tasks} tasks in ten phases, with waits and attempts: number 1 failed, and number 2 is
-- at work. The job that failed first has a log of {megabytes} megabytes, the error in its last line but one.
INSERT INTO catalog.configurations (project, component, id, name, version)
VALUES ('{project}', 'orchestrator', 'wide', 'Wide', 1);

INSERT INTO catalog.configuration_versions (project, component, configuration, version, parameters, author)
SELECT '{project}', 'orchestrator', 'wide', 1, jsonb_build_object('phases', jsonb_agg(phase ORDER BY p)), 'benchmark'
FROM (
    SELECT p, jsonb_build_object('name', 'Phase ' || p, 'tasks', jsonb_agg(jsonb_build_object(
        'id', 'noop/c' || lpad(n::text, 5, '0'), 'name', 'Load table number ' || n, 'component', 'noop',
        'configuration', 'c' || lpad(n::text, 5, '0'), 'enabled', true, 'continue_on_failure', false,
        'timeout_seconds', 86400, 'attempts', 1, 'attempt_delay_seconds', 0, 'attempt_backoff', 1.0, 'retry_on', 'any',
        'parameters', '{}'::jsonb))) AS phase
    FROM generate_series(0, {tasks} - 1) AS n, LATERAL (SELECT n * 10 / {tasks} AS p) AS of_task
    GROUP BY p) AS phases;

INSERT INTO jobs.lanes (project, component, configuration) VALUES ('{project}', 'orchestrator', 'wide');

CREATE TEMPORARY TABLE wide_runs AS
SELECT gen_random_uuid() AS id, seq, now() - (3 - seq) * interval '1 hour' AS at,
       CASE seq WHEN 1 THEN 'error' ELSE 'processing' END AS status
FROM generate_series(1, 2) AS seq;

INSERT INTO jobs.replicas (id, name, slots, lease_until)
VALUES ('00000000-0000-7000-8000-000000000002', 'at work', 8, now() + interval '1 day');

INSERT INTO jobs.jobs (id, lane_id, seq, project, component, configuration, kind, status, origin, root_id, scheduled_for,
                       requested_at, accepted_at, due_at, ready_at, started_at, finished_at, version, full_run, attempt, epoch, revision,
                       error_kind, message)
SELECT r.id, l.id, r.seq, l.project, l.component, l.configuration, 'run', r.status, 'schedule', r.id, r.at,
       r.at, r.at, r.at, r.at, r.at, CASE r.status WHEN 'error' THEN r.at + interval '20 minutes' END, 1, true, 1, 1, 4,
       CASE r.status WHEN 'error' THEN 'user' END, CASE r.status WHEN 'error' THEN 'a task failed' END
FROM wide_runs r JOIN jobs.lanes l ON (l.project, l.component, l.configuration) = ('{project}', 'orchestrator', 'wide');

INSERT INTO jobs.phases (run_id, index, name, remaining, started_at, finished_at)
SELECT r.id, p, 'Phase ' || p, 0, CASE WHEN r.seq = 1 OR p < 6 THEN r.at + p * interval '2 minutes' END,
       CASE WHEN r.seq = 1 OR p < 5 THEN r.at + (p + 1) * interval '2 minutes' END
FROM wide_runs r, generate_series(0, 9) AS p;

CREATE TEMPORARY TABLE wide_tasks AS
SELECT gen_random_uuid() AS id, r.id AS run_id, r.seq, n, n * 10 / {tasks} AS phase, n % ({tasks} / 10) AS position,
       r.at + (n * 10 / {tasks}) * interval '2 minutes' AS at, 'c' || lpad(n::text, 5, '0') AS configuration,
       CASE WHEN r.seq = 1 AND n = {tasks} - 1 THEN 'error'
            WHEN r.seq = 1 OR n * 10 / {tasks} < 5 THEN 'success' ELSE 'processing' END AS status
FROM wide_runs r, generate_series(0, {tasks} - 1) AS n WHERE r.seq = 1 OR n * 10 / {tasks} < 6;

INSERT INTO jobs.jobs (id, lane_id, seq, project, component, configuration, kind, status, origin, parent_id, root_id, depth,
                       phase, task_id, scheduled_for, requested_at, accepted_at, due_at, ready_at, started_at, finished_at,
                       version, attempt, epoch, revision, replica_id, error_kind, message)
SELECT t.id, l.id, l.next_seq + t.seq, l.project, l.component, l.configuration,
       'component', t.status, 'parent', t.run_id, t.run_id, 1, t.phase, 'noop/' || t.configuration,
       t.at, t.at, t.at, t.at, t.at + t.n % 7 * interval '3 seconds', t.at + t.n % 7 * interval '5 seconds',
       CASE t.status WHEN 'processing' THEN NULL ELSE t.at + interval '40 seconds' + t.n % 13 * interval '5 seconds' END,
       1, 1, 1, 4, '00000000-0000-7000-8000-000000000002',
       CASE t.status WHEN 'error' THEN 'user' END, CASE t.status WHEN 'error' THEN 'column r.opted_in does not exist' END
FROM wide_tasks t
JOIN jobs.lanes l ON (l.project, l.component, l.configuration) = ('{project}', 'noop', t.configuration);

INSERT INTO jobs.attempts (job_id, attempt, replica_id, due_at, ready_at, started_at, finished_at, outcome)
SELECT j.id, 1, j.replica_id, j.due_at, j.ready_at, j.started_at, j.finished_at,
       CASE j.status WHEN 'processing' THEN NULL ELSE j.status END
FROM jobs.jobs j JOIN wide_tasks t ON t.id = j.id;

INSERT INTO jobs.tasks (run_id, phase, position, task_id, name, component, configuration, version, request,
                        continue_on_failure, status, job_id, active, lane_id)
SELECT r.id, place * 10 / {tasks}, place % ({tasks} / 10), 'noop/c' || lpad(place::text, 5, '0'), 'Load table number ' || place,
       'noop', l.configuration, 1, '{}', false,
       CASE WHEN t.id IS NULL THEN 'pending' WHEN t.status = 'processing' THEN 'started' ELSE t.status END, t.id, true, l.id
FROM wide_runs r
CROSS JOIN generate_series(0, {tasks} - 1) AS each (place)
JOIN jobs.lanes l ON (l.project, l.component, l.configuration) = ('{project}', 'noop', 'c' || lpad(place::text, 5, '0'))
LEFT JOIN wide_tasks t ON t.run_id = r.id AND t.n = place;

UPDATE jobs.lanes l SET next_seq = last.seq + 1
FROM (SELECT lane_id, max(seq) AS seq FROM jobs.jobs GROUP BY lane_id) AS last WHERE last.lane_id = l.id;

-- A megabyte in sixteen pieces of 64 kB, as runners write them; each line has 64 characters with its end.
INSERT INTO jobs.logs (job_id, attempt, seq, stream, at, text, line_ends, is_open)
SELECT t.id, 1, piece, 'stdout', now(), repeat(rpad('INFO loaded a page of rows ' || piece, 63, '.') || E'\n', 1024), 1024, false
FROM wide_tasks t, generate_series(1, {megabytes} * 16) AS each (piece) WHERE t.status = 'error';

INSERT INTO jobs.logs (job_id, attempt, seq, stream, at, text, line_ends, is_open)
SELECT t.id, 1, {megabytes} * 16 + 1, 'stderr', now(), E'ERROR: column r.opted_in does not exist\nExit code 1\n', 2, false
FROM wide_tasks t WHERE t.status = 'error';

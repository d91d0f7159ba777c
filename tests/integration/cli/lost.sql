-- Something of everything that a restore or the loss of the broker concerns; the ids are those of the test.
INSERT INTO catalog.projects (id, name) VALUES ('demo', 'Demo');
INSERT INTO catalog.people (id, email, name) VALUES ('00000000-0000-0000-0000-000000000014', 'Jana@example.com', 'Jana');
INSERT INTO catalog.sessions (id, person_id, secret_hash, address, user_agent)
    VALUES ('00000000-0000-0000-0000-000000000015', '00000000-0000-0000-0000-000000000014', 'session', '::1', 'browser');
INSERT INTO catalog.person_links (id, person_id, purpose, expires_at)
    VALUES ('00000000-0000-0000-0000-000000000016', '00000000-0000-0000-0000-000000000014', 'reset', date_trunc('second', now()) + interval '1 day');
INSERT INTO catalog.tokens (id, project, kind, name, person_id, secret_hash, scopes, from_setting) VALUES
    ('00000000-0000-0000-0000-000000000017', NULL, 'person', 'administrator', '00000000-0000-0000-0000-000000000014', 'a', '{admin}', true),
    ('00000000-0000-0000-0000-000000000018', 'demo', 'api', 'robot', NULL, 'b', '{read}', false),
    ('00000000-0000-0000-0000-000000000019', 'demo', 'orchestration', 'nightly', NULL, 'c', '{run}', false);
INSERT INTO catalog.configurations (project, component, id, name, version)
    SELECT 'demo', id, 'nightly', 'Nightly', 1 FROM catalog.components WHERE id = 'orchestrator';
INSERT INTO catalog.schedules (id, project, orchestration, name, cron, timezone)
    VALUES ('00000000-0000-0000-0000-00000000001e', 'demo', 'nightly', 'at two', '0 2 * * *', 'UTC');
INSERT INTO scheduler.next_fires (schedule_id, project, version, enabled, next_at, next_key, anchor)
    VALUES ('00000000-0000-0000-0000-00000000001e', 'demo', 1, true, now() - interval '1 hour', 'k', now() - interval '1 day');
INSERT INTO scheduler.fires (schedule_id, fire_key, project, orchestration, version, scheduled_for, outcome, job_id)
    VALUES ('00000000-0000-0000-0000-00000000001e', 'yesterday', 'demo', 'nightly', 1, now(), 'requested', '00000000-0000-0000-0000-000000000003');
INSERT INTO catalog.run_requests
    (job_id, project, component, configuration, origin, requested_by, token_id, scheduled_for, tasks)
    VALUES ('00000000-0000-0000-0000-000000000001', 'demo', 'orchestrator', 'nightly', 'manual', 'jana@example.com', '00000000-0000-0000-0000-000000000014', now(), '{load}'),
           ('00000000-0000-0000-0000-000000000002', 'demo', 'orchestrator', 'nightly', 'api', 'token robot', '00000000-0000-0000-0000-000000000018', now(), NULL);
INSERT INTO triggers.states
    (trigger_id, project, orchestration, name, version, enabled, cool_down_seconds, mode, generation, pending_job_id)
    VALUES ('00000000-0000-0000-0000-000000000028', 'demo', 'nightly', 'both', 1, true, 0, 'defer', 3, '00000000-0000-0000-0000-000000000004');
INSERT INTO triggers.counts (trigger_id, table_project, table_name, counted, used, chain_length)
    VALUES ('00000000-0000-0000-0000-000000000028', 'demo', 'in.c-a.b', 2, 1, 4);
INSERT INTO triggers.fires (trigger_id, generation, job_id, at, tables)
    VALUES ('00000000-0000-0000-0000-000000000028', 3, '00000000-0000-0000-0000-000000000004', now() - interval '10 days', '[]');
INSERT INTO jobs.replicas (id, name, slots, lease_until) VALUES ('00000000-0000-0000-0000-000000000032', 'old', 1, now() + interval '1 hour');
INSERT INTO jobs.lanes (project, component, configuration) VALUES ('demo', 'c', 'done'), ('demo', 'c', 'busy');
INSERT INTO jobs.jobs (id, lane_id, seq, project, component, configuration, kind, status, origin, root_id, scheduled_for,
                       requested_at, attempt, epoch, finished_at, replica_id, output_tables)
SELECT job.id, l.id, 1, 'demo', 'c', l.configuration, 'component', job.status, 'api', job.id, now(), now(), 1, 1,
       CASE job.status WHEN 'success' THEN now() END, '00000000-0000-0000-0000-000000000032', job.tables
FROM jobs.lanes l JOIN (VALUES
    ('00000000-0000-0000-0000-000000000005'::uuid, 'done', 'success', '[{"table": "in.c-a.b", "rows": 7}, {"table": "in.c-a.heard"}]'::jsonb),
    ('00000000-0000-0000-0000-000000000006'::uuid, 'busy', 'processing', '[]'::jsonb)) AS job (id, configuration, status, tables)
    ON l.configuration = job.configuration;
INSERT INTO jobs.request_records (job_id, decision, into_job_id, project, configuration, scheduled_for)
    VALUES ('00000000-0000-0000-0000-000000000002', 'merged', '00000000-0000-0000-0000-000000000005', 'demo', 'nightly', now());
INSERT INTO triggers.updates (project, source, event_id, table_name, seq, heard_at, job_id)
    VALUES ('demo', '/runner', 'x', 'in.c-a.heard', 1, now(), '00000000-0000-0000-0000-000000000005');

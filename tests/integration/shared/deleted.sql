-- name: deleted
INSERT INTO catalog.projects (id, name) VALUES ('demo', 'Demo');
INSERT INTO catalog.configurations (project, component, id, name, version)
    VALUES ('demo', 'orchestrator', 'nightly', 'Nightly', 1);
INSERT INTO catalog.schedules (id, project, orchestration, name, cron, deleted_at)
    VALUES ('00000000-0000-0000-0000-000000000001', 'demo', 'nightly', 'at two', '0 2 * * *', now() - interval '91 days');
INSERT INTO scheduler.next_fires (schedule_id, project, version, enabled, anchor)
    VALUES ('00000000-0000-0000-0000-000000000001', 'demo', 0, false, now());
INSERT INTO catalog.triggers (id, project, orchestration, name, deleted_at)
    VALUES ('00000000-0000-0000-0000-000000000002', 'demo', 'nightly', 'both', now() - interval '91 days');
INSERT INTO catalog.trigger_tables VALUES ('00000000-0000-0000-0000-000000000002', 'demo', 'in.c-a.selected');
INSERT INTO catalog.unshared_tables VALUES ('00000000-0000-0000-0000-000000000002', 'demo', 'in.c-a.unshared');
SET CONSTRAINTS ALL IMMEDIATE;  -- as at a commit
UPDATE triggers.saved_versions SET judged = true, at = now() - interval '91 days';
UPDATE triggers.states SET deleted_at = now() - interval '91 days', generation = 1;
INSERT INTO triggers.counts (trigger_id, table_project, table_name, counted, used)
    VALUES ('00000000-0000-0000-0000-000000000002', 'demo', 'in.c-a.selected', 7, 7);
INSERT INTO triggers.fires (trigger_id, generation, job_id, at, tables)
    VALUES ('00000000-0000-0000-0000-000000000002', 1, '00000000-0000-0000-0000-000000000003', now() - interval '91 days', '[]');
INSERT INTO catalog.tokens (id, project, kind, name, secret_hash, scopes, revoked_at, expires_at, from_setting)
SELECT gen_random_uuid(), 'demo', 'api', name, name::bytea, '{read}', revoked_at, expires_at, name = 'setting'
FROM (VALUES ('revoked', now() - interval '91 days', NULL), ('setting', now() - interval '91 days', NULL),
             ('expired', NULL, now() - interval '91 days'), ('lately', now() - interval '89 days', NULL),
             ('valid', NULL, NULL)) AS token (name, revoked_at, expires_at);
INSERT INTO triggers.tables AS t (project, name, last_seq, last_heard_at)
VALUES ('demo', 'in.c-a.selected', 7, now() - interval '400 days'), ('demo', 'in.c-a.old', 5, now() - interval '400 days'),
       ('demo', 'in.c-a.heard', 9, now() - interval '300 days'), ('demo', 'in.c-a.kept', 3, now() - interval '400 days')
ON CONFLICT (project, name) DO UPDATE SET last_seq = excluded.last_seq, last_heard_at = excluded.last_heard_at;
INSERT INTO triggers.updates (project, source, event_id, table_name, seq, heard_at)
    VALUES ('demo', '/erp', 'x', 'in.c-a.kept', 3, now());

-- name: job_of_both
INSERT INTO jobs.lanes (project, component, configuration) VALUES ('demo', 'orchestrator', 'nightly');
INSERT INTO jobs.jobs (id, lane_id, seq, project, component, configuration, kind, status, origin, root_id, scheduled_for,
                       requested_at, finished_at, trigger_id, generation, schedule_id, fire_key)
SELECT '00000000-0000-0000-0000-000000000003', id, 1, 'demo', 'orchestrator', 'nightly', 'run', 'success', 'trigger', '00000000-0000-0000-0000-000000000003', now(), now(), now(),
       '00000000-0000-0000-0000-000000000002', 1, '00000000-0000-0000-0000-000000000001', 'k' FROM jobs.lanes;

-- name: left
SELECT (SELECT count(*) FROM catalog.schedules) AS schedules, (SELECT count(*) FROM scheduler.next_fires) AS next_fires,
       (SELECT count(*) FROM catalog.triggers) AS triggers, (SELECT count(*) FROM catalog.trigger_tables) AS selected,
       (SELECT count(*) FROM catalog.unshared_tables) AS unshared, (SELECT count(*) FROM triggers.states) AS states,
       (SELECT count(*) FROM triggers.counts) AS counts, (SELECT count(*) FROM triggers.fires) AS fires,
       (SELECT count(*) FROM triggers.saved_versions) AS versions

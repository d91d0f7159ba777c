-- Triggers, and what the trigger-watcher knows about them.

-- name: triggers
SELECT t.id, t.orchestration, t.name, t.enabled, t.cool_down_seconds, t.mode, t.version, t.allow_self_trigger,
       array(SELECT CASE WHEN x.table_project = t.project THEN x.table_name
                         ELSE x.table_project || '/' || x.table_name END
             FROM (SELECT * FROM catalog.trigger_tables UNION ALL SELECT * FROM catalog.unshared_tables) x
             WHERE x.trigger_id = t.id
             ORDER BY x.table_project <> t.project, x.table_project, x.table_name) AS tables,
       (SELECT count(*) FROM catalog.trigger_tables x
        JOIN triggers.counts_v1 n ON (n.trigger_id, n.table_project, n.table_name) = (x.trigger_id, x.table_project, x.table_name)
        WHERE x.trigger_id = t.id AND n.counted > n.used) AS tables_ready
FROM catalog.triggers t
WHERE t.project = $project AND t.orchestration = ANY ($orchestrations::text[])
  AND ($name::text IS NULL OR t.name = $name) AND t.deleted_at IS NULL
ORDER BY t.orchestration, t.name

-- name: trigger_by_id
SELECT t.id, t.orchestration, t.name, t.enabled, t.cool_down_seconds, t.mode, t.version, t.allow_self_trigger,
       array(SELECT CASE WHEN x.table_project = t.project THEN x.table_name
                         ELSE x.table_project || '/' || x.table_name END
             FROM (SELECT * FROM catalog.trigger_tables UNION ALL SELECT * FROM catalog.unshared_tables) x
             WHERE x.trigger_id = t.id
             ORDER BY x.table_project <> t.project, x.table_project, x.table_name) AS tables,
       (SELECT count(*) FROM catalog.trigger_tables x
        JOIN triggers.counts_v1 n ON (n.trigger_id, n.table_project, n.table_name) = (x.trigger_id, x.table_project, x.table_name)
        WHERE x.trigger_id = t.id AND n.counted > n.used) AS tables_ready
FROM catalog.triggers t
WHERE t.project = $project AND t.id = $trigger_id AND t.deleted_at IS NULL

-- name: insert_trigger
INSERT INTO catalog.triggers (id, project, orchestration, name, enabled, cool_down_seconds, mode, allow_self_trigger)
VALUES ($trigger_id, $project, $orchestration, $name, $enabled, $cool_down_seconds, $mode, $allow_self_trigger)

-- name: update_trigger
UPDATE catalog.triggers
SET enabled = $enabled, cool_down_seconds = $cool_down_seconds, mode = $mode, allow_self_trigger = $allow_self_trigger,
    version = version + 1, updated_at = clock_timestamp()
WHERE project = $project AND id = $trigger_id

-- name: switch_trigger
UPDATE catalog.triggers SET enabled = $enabled, version = version + 1, updated_at = clock_timestamp()
WHERE project = $project AND id = $trigger_id

-- name: delete_trigger_tables
WITH unshared AS (
    DELETE FROM catalog.unshared_tables
    WHERE trigger_id = $trigger_id
      AND EXISTS (SELECT FROM catalog.triggers o WHERE o.id = $trigger_id AND o.project = $project)
)
DELETE FROM catalog.trigger_tables
WHERE trigger_id = $trigger_id
  AND EXISTS (SELECT FROM catalog.triggers o WHERE o.id = $trigger_id AND o.project = $project)

-- name: insert_trigger_tables
INSERT INTO catalog.trigger_tables (trigger_id, table_project, table_name)
SELECT $trigger_id, project, name FROM unnest($projects::text[], $names::text[]) AS t (project, name)

-- name: delete_trigger
UPDATE catalog.triggers
SET deleted_at = clock_timestamp(), version = version + 1, updated_at = clock_timestamp()
WHERE project = $project AND orchestration = $orchestration AND name = $name AND deleted_at IS NULL
RETURNING id

-- name: delete_triggers
UPDATE catalog.triggers
SET deleted_at = clock_timestamp(), version = version + 1, updated_at = clock_timestamp()
WHERE project = $project AND orchestration = $orchestration AND deleted_at IS NULL
RETURNING id

-- name: touch_triggers
UPDATE catalog.triggers SET version = version + 1, updated_at = clock_timestamp()
WHERE project = $project AND orchestration = $orchestration AND deleted_at IS NULL
RETURNING id

-- name: reset_trigger
UPDATE catalog.triggers SET reset_count = reset_count + 1, updated_at = clock_timestamp()
WHERE project = $project AND id = $trigger_id AND deleted_at IS NULL
RETURNING id

-- name: revoke_tables_of_bucket
-- A bucket is no longer shared: the other project's triggers on it are disabled and no longer count its
-- updates.
WITH taken AS (
    DELETE FROM catalog.trigger_tables x
    USING catalog.triggers t
    WHERE t.id = x.trigger_id AND t.project = $project AND x.table_project = $owner
      AND regexp_replace(x.table_name, '\.[^.]*$', '') = $bucket
    RETURNING x.trigger_id, x.table_project, x.table_name, t.enabled
), kept AS (
    INSERT INTO catalog.unshared_tables SELECT trigger_id, table_project, table_name FROM taken ON CONFLICT DO NOTHING
)
UPDATE catalog.triggers t
SET enabled = false, version = version + 1, updated_at = clock_timestamp()
FROM (SELECT DISTINCT trigger_id, enabled FROM taken) before
WHERE t.project = $project AND t.id = before.trigger_id AND t.deleted_at IS NULL
RETURNING t.id, t.orchestration, t.name, before.enabled AS was_enabled

-- name: restore_tables_of_bucket
-- The bucket is shared again: triggers that had selected its tables count updates from now on.
WITH given AS (
    DELETE FROM catalog.unshared_tables x
    USING catalog.triggers t
    WHERE t.id = x.trigger_id AND t.project = $project AND x.table_project = $owner
      AND regexp_replace(x.table_name, '\.[^.]*$', '') = $bucket
    RETURNING x.trigger_id, x.table_project, x.table_name
), back AS (
    INSERT INTO catalog.trigger_tables SELECT trigger_id, table_project, table_name FROM given ON CONFLICT DO NOTHING
)
UPDATE catalog.triggers SET version = version + 1, updated_at = clock_timestamp()
WHERE project = $project AND id IN (SELECT trigger_id FROM given) AND deleted_at IS NULL
RETURNING id, orchestration, name

-- name: buckets_shared_with
-- KEY SHARE: a share cannot be deleted until the trigger that relies on it is saved, so whoever deletes it
-- sees that trigger.
SELECT project, bucket FROM catalog.shares WHERE shared_with = $project ORDER BY project, bucket FOR KEY SHARE

-- name: dispositions
SELECT CASE WHEN d.project = $project THEN d.table_name ELSE d.project || '/' || d.table_name END AS "table",
       d.project, d.table_name, d.seq, d.disposition, d.at, d.job_id, j.number, d.event_id, d.source, d.deliveries
FROM (
    SELECT project, table_name, seq, disposition, at, job_id, event_id, source, deliveries
    FROM triggers.dispositions_v1
    WHERE trigger_id = $trigger_id
      AND EXISTS (SELECT FROM catalog.triggers o WHERE o.id = $trigger_id AND o.project = $project)
      AND ($before::timestamptz IS NULL
           OR (at, project, table_name, seq) < ($before, $before_project, $before_table, $before_seq))
    ORDER BY at DESC, project DESC, table_name DESC, seq DESC
    LIMIT $limit) d
LEFT JOIN jobs.jobs_v1 j ON j.project = $project AND j.id = d.job_id
ORDER BY d.at DESC, d.project DESC, d.table_name DESC, d.seq DESC

-- name: trigger_state
SELECT pending_job_id, last_started_at FROM triggers.states_v1
WHERE project = $project AND trigger_id = $trigger_id

-- name: trigger_counts
-- A table counts as added by the first save since which it has been in every version, unless the trigger was
-- created with it.
SELECT x.table_project, x.table_name, c.counted, c.used, c.counted_at, t.last_heard_at,
       (SELECT d.at FROM triggers.dispositions_v1 d
        WHERE d.trigger_id = x.trigger_id AND d.project = x.table_project AND d.table_name = x.table_name
          AND d.seq > c.used AND d.disposition IN ('counted', 'completed')
        ORDER BY d.seq LIMIT 1) AS ready_since,
       (SELECT min(s.at) FROM triggers.saved_versions_v1 s
        WHERE s.trigger_id = x.trigger_id AND s.number > (
            SELECT max(before.number) FROM triggers.saved_versions_v1 before
            WHERE before.trigger_id = x.trigger_id
              AND NOT before.tables @> jsonb_build_array(jsonb_build_object('project', x.table_project, 'name', x.table_name))
        )) AS added_at
FROM catalog.trigger_tables x
LEFT JOIN triggers.counts_v1 c
  ON (c.trigger_id, c.table_project, c.table_name) = (x.trigger_id, x.table_project, x.table_name)
LEFT JOIN triggers.tables_v1 t ON (t.project, t.name) = (x.table_project, x.table_name)
WHERE x.trigger_id = $trigger_id
  AND EXISTS (SELECT FROM catalog.triggers o WHERE o.id = $trigger_id AND o.project = $project)
UNION ALL
SELECT table_project, table_name, NULL, NULL, NULL, NULL, NULL, NULL
FROM catalog.unshared_tables
WHERE trigger_id = $trigger_id
  AND EXISTS (SELECT FROM catalog.triggers o WHERE o.id = $trigger_id AND o.project = $project)
ORDER BY table_project, table_name

-- name: recent_updates
-- The newest updates of each of these tables, oldest first; of other projects only those in shared buckets.
SELECT wanted.project AS table_project, wanted.name AS table_name,
       array(SELECT newest.heard_at
             FROM (SELECT u.heard_at, u.seq FROM triggers.updates_v1 u
                   WHERE u.project = wanted.project AND u.table_name = wanted.name
                   ORDER BY u.seq DESC LIMIT $most) newest
             ORDER BY newest.seq) AS heard
FROM unnest($projects::text[], $names::text[]) AS wanted (project, name)
WHERE wanted.project = $project
   OR EXISTS (SELECT FROM catalog.shares s
              WHERE s.shared_with = $project AND s.project = wanted.project
                AND s.bucket = regexp_replace(wanted.name, '\.[^.]*$', ''))

-- name: quiet_tables
-- Tables that enabled triggers wait for, and that have been quiet for long beside their last four intervals.
SELECT t.orchestration, c.name, t.name AS trigger, x.table_project, x.table_name
FROM catalog.triggers t
CROSS JOIN LATERAL (
    SELECT c.name FROM catalog.configurations c
    WHERE (c.project, c.component, c.id) = ($project, 'orchestrator', t.orchestration) AND c.enabled
      AND c.deleted_at IS NULL
    LIMIT 1) c
JOIN catalog.trigger_tables x ON x.trigger_id = t.id
CROSS JOIN LATERAL (
    SELECT n.counted FROM triggers.counts_v1 n
    WHERE (n.trigger_id, n.table_project, n.table_name) = (x.trigger_id, x.table_project, x.table_name)
      AND n.counted <= n.used
    LIMIT 1) missing
CROSS JOIN LATERAL (
    SELECT h.last_seq, h.last_heard_at FROM triggers.tables_v1 h
    WHERE (h.project, h.name) = (x.table_project, x.table_name) AND h.last_seq > 4
    LIMIT 1) heard
CROSS JOIN LATERAL (
    SELECT u.heard_at FROM triggers.updates_v1 u
    WHERE (u.project, u.table_name, u.seq) = (x.table_project, x.table_name, heard.last_seq - 4)
    LIMIT 1) earlier
WHERE t.project = $project AND t.enabled AND t.deleted_at IS NULL
  AND clock_timestamp() - heard.last_heard_at
      > greatest(interval '5 minutes', (heard.last_heard_at - earlier.heard_at) / 8)
LIMIT $limit

-- name: last_fire
SELECT generation, at, job_id, tables, started_at, ended
FROM triggers.fires_v1
WHERE trigger_id = $trigger_id
  AND EXISTS (SELECT FROM catalog.triggers o WHERE o.id = $trigger_id AND o.project = $project)
ORDER BY generation DESC
LIMIT 1

-- name: last_full_run
-- Runs of one orchestration start one after another, so the last ones by number include the last started.
SELECT latest.started_at, latest.number, latest.origin
FROM jobs.lanes_v1 l
CROSS JOIN LATERAL (
    SELECT j.started_at, j.number, j.origin FROM jobs.jobs_v1 j
    WHERE j.lane_id = l.id AND j.full_run AND j.started_at IS NOT NULL
    ORDER BY j.number DESC LIMIT 20) latest
WHERE (l.project, l.component, l.configuration) = ($project, 'orchestrator', $orchestration)
ORDER BY latest.started_at DESC LIMIT 1

-- name: run_of_fire
SELECT number, status, message, finished_at, stop_requested_by FROM jobs.jobs_v1 WHERE project = $project AND id = $job_id

-- name: trigger_history
-- When it was reset, and since when updates do not count because the trigger or the orchestration is off.
SELECT t.created_at,
       (SELECT min(s.at) FROM triggers.saved_versions_v1 s
        WHERE s.trigger_id = t.id AND s.reset_count = t.reset_count AND t.reset_count > 0) AS reset_at,
       (SELECT min(s.at) FROM triggers.saved_versions_v1 s
        WHERE s.trigger_id = t.id AND s.number > coalesce(
            (SELECT max(on_.number) FROM triggers.saved_versions_v1 on_
             WHERE on_.trigger_id = t.id AND on_.enabled), 0)) AS off_since,
       c.enabled AS orchestration_enabled, c.deleted_at AS orchestration_deleted_at
FROM catalog.triggers t
JOIN catalog.configurations c ON (c.project, c.component, c.id) = (t.project, t.component, t.orchestration)
WHERE t.project = $project AND t.id = $trigger_id

-- name: dropped_since
SELECT count(*) FROM triggers.dispositions_v1
WHERE trigger_id = $trigger_id
  AND EXISTS (SELECT FROM catalog.triggers o WHERE o.id = $trigger_id AND o.project = $project)
  AND at >= $since AND disposition = $disposition

-- name: last_audit_of
SELECT actor, detail ->> 'reason' AS reason FROM catalog.audit
WHERE project = $project AND subject = $subject AND at <= $at
ORDER BY at DESC LIMIT 1

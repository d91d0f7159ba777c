-- Triggers: their states and counts, what was decided, and the runs and saves it was decided by.

-- name: lock_triggers_of_tables
-- Triggers that count one of the tables, and those saved with one since they were last judged: saving locks the tables,
-- too. It only locks: what it reads may be from before the lock, so the statements after it read everything again.
SELECT s.trigger_id
FROM triggers.states s
WHERE s.trigger_id IN (
    SELECT c.trigger_id
    FROM unnest($projects::text[], $names::text[]) AS heard (project, name)
    JOIN triggers.counts c ON (c.table_project, c.table_name) = (heard.project, heard.name)
    UNION
    SELECT v.trigger_id
    FROM unnest($projects::text[], $names::text[]) AS heard (project, name)
    JOIN triggers.saved_versions v
        ON NOT v.judged AND v.tables @> jsonb_build_array(jsonb_build_object('project', heard.project, 'name', heard.name))
)
ORDER BY s.trigger_id
FOR UPDATE OF s;

-- name: lock_triggers_of_orchestration
SELECT trigger_id FROM triggers.states
WHERE project = $project AND orchestration = $orchestration
ORDER BY trigger_id
FOR UPDATE;

-- name: lock_trigger
SELECT trigger_id FROM triggers.states WHERE trigger_id = $trigger_id FOR UPDATE;

-- name: load_states
SELECT trigger_id, project, orchestration, name, version, reset_count, enabled, cool_down_seconds, mode, generation,
       pending_job_id, last_started_at, due_at, deleted_at IS NOT NULL AS deleted
FROM triggers.states
WHERE trigger_id = ANY ($trigger_ids::uuid[])
ORDER BY trigger_id;

-- name: load_counts
SELECT trigger_id, table_project, table_name, counted, counted_at, used, chain_length
FROM triggers.counts
WHERE trigger_id = ANY ($trigger_ids::uuid[]);

-- name: read_starts
-- Started runs that a trigger does not know of: its waiting run, later runs of its own, and full runs that used more than
-- its counts say. Looks at the last $among runs of an orchestration, which start one after another.
WITH orchestrations AS (
    SELECT DISTINCT project, orchestration FROM triggers.states WHERE trigger_id = ANY ($trigger_ids::uuid[])
), started AS MATERIALIZED (
    SELECT o.project, o.orchestration, latest.*
    FROM orchestrations o
    JOIN jobs.lanes_v1 l ON (l.project, l.component, l.configuration) = (o.project, 'orchestrator', o.orchestration)
    CROSS JOIN LATERAL (
        SELECT j.id, j.started_at, j.used_updates, CASE j.origin WHEN 'trigger' THEN j.trigger_id END AS trigger_id
        FROM jobs.jobs_v1 j
        WHERE j.lane_id = l.id AND j.started_at IS NOT NULL AND j.full_run
        ORDER BY j.number DESC LIMIT $among
    ) latest
)
SELECT s.trigger_id, r.id, r.started_at, r.used_updates, r.trigger_id IS NOT DISTINCT FROM s.trigger_id AS is_own
FROM triggers.states s
JOIN started r ON (r.project, r.orchestration) = (s.project, s.orchestration)
WHERE s.trigger_id = ANY ($trigger_ids::uuid[]) AND r.id IS DISTINCT FROM s.pending_job_id AND (
    (r.trigger_id = s.trigger_id AND r.started_at > coalesce(s.last_started_at, '-infinity'))
    OR EXISTS (
        SELECT FROM triggers.counts c
        WHERE c.trigger_id = s.trigger_id
          AND (r.used_updates ->> (c.table_project || '/' || c.table_name))::bigint > c.used))
UNION ALL
SELECT s.trigger_id, p.id, p.started_at, p.used_updates, true
FROM triggers.states s
JOIN jobs.jobs_v1 p ON p.id = s.pending_job_id AND p.started_at IS NOT NULL
WHERE s.trigger_id = ANY ($trigger_ids::uuid[]);

-- name: read_ends
-- Waiting runs that ended before they started.
SELECT s.trigger_id, p.id, p.finished_at, w.job_id IS NOT NULL AS was_withdrawn
FROM triggers.states s
JOIN jobs.jobs_v1 p ON p.id = s.pending_job_id AND p.started_at IS NULL AND p.finished_at IS NOT NULL
LEFT JOIN jobs.withdrawals_v1 w ON w.job_id = p.id
WHERE s.trigger_id = ANY ($trigger_ids::uuid[]);

-- name: read_saved
SELECT number, trigger_id, at, project, orchestration, name, version, reset_count, enabled, cool_down_seconds, mode, deleted,
       tables
FROM triggers.saved_versions
WHERE trigger_id = ANY ($trigger_ids::uuid[]) AND NOT judged
ORDER BY number;

-- name: mark_judged
UPDATE triggers.saved_versions SET judged = true WHERE number = ANY ($numbers::bigint[]);

-- name: save_states
UPDATE triggers.states s
SET project = n.project, orchestration = n.orchestration, name = n.name, version = n.version,
    reset_count = n.reset_count, enabled = n.enabled, cool_down_seconds = n.cool_down_seconds, mode = n.mode,
    generation = n.generation, pending_job_id = n.pending_job_id, last_started_at = n.last_started_at,
    due_at = n.due_at,
    deleted_at = CASE WHEN n.deleted THEN coalesce(s.deleted_at, clock_timestamp()) END
FROM unnest($trigger_ids::uuid[], $projects::text[], $orchestrations::text[], $names::text[], $versions::integer[],
            $reset_counts::integer[], $enabled::boolean[], $cool_downs::integer[], $modes::text[],
            $generations::integer[], $pending_job_ids::uuid[], $last_started_at::timestamptz[], $due_at::timestamptz[],
            $deleted::boolean[])
    AS n (trigger_id, project, orchestration, name, version, reset_count, enabled, cool_down_seconds, mode,
          generation, pending_job_id, last_started_at, due_at, deleted)
WHERE s.trigger_id = n.trigger_id;

-- name: save_counts
INSERT INTO triggers.counts AS c (trigger_id, table_project, table_name, counted, counted_at, used, chain_length)
SELECT * FROM unnest($trigger_ids::uuid[], $projects::text[], $names::text[], $counted::bigint[],
                     $counted_at::timestamptz[], $used::bigint[], $chain_lengths::integer[])
ON CONFLICT (trigger_id, table_project, table_name)
DO UPDATE SET counted = excluded.counted, counted_at = excluded.counted_at, used = excluded.used,
              chain_length = excluded.chain_length
WHERE (c.counted, c.counted_at, c.used) IS DISTINCT FROM (excluded.counted, excluded.counted_at, excluded.used);

-- name: drop_other_counts
DELETE FROM triggers.counts c
WHERE c.trigger_id = ANY ($trigger_ids::uuid[])
  AND (c.trigger_id, c.table_project, c.table_name)
      NOT IN (SELECT * FROM unnest($kept_trigger_ids::uuid[], $projects::text[], $names::text[]));

-- name: insert_dispositions
INSERT INTO triggers.dispositions (trigger_id, project, table_name, seq, disposition, at, job_id)
SELECT * FROM unnest($trigger_ids::uuid[], $projects::text[], $names::text[], $numbers::bigint[], $dispositions::text[],
                     $times::timestamptz[], $job_ids::uuid[]);

-- name: insert_fire
INSERT INTO triggers.fires (trigger_id, generation, job_id, at, tables)
VALUES ($trigger_id, $generation, $job_id, $at, $tables);

-- name: end_fire
UPDATE triggers.fires SET ended = $ended, started_at = $started_at WHERE job_id = $job_id
RETURNING extract(epoch FROM started_at - at)::float8;

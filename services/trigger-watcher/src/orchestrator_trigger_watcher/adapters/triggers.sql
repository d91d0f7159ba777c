-- Triggers: their states and counts, what was decided, and the truth they are decided by.

-- name: lock_triggers_of_tables
-- Only locks: what is read here may be from before the lock. Everything is read anew in the statements after it.
SELECT s.trigger_id
FROM triggers.states s
WHERE s.trigger_id IN (
    SELECT c.trigger_id
    FROM unnest($1::text[], $2::text[]) AS heard (project, name)
    JOIN triggers.counts c ON (c.table_project, c.table_name) = (heard.project, heard.name)
)
ORDER BY s.trigger_id
FOR UPDATE OF s;

-- name: lock_triggers_of_orchestration
SELECT trigger_id FROM triggers.states
WHERE project = $1 AND orchestration = $2
ORDER BY trigger_id
FOR UPDATE;

-- name: lock_trigger
SELECT trigger_id FROM triggers.states WHERE trigger_id = $1 FOR UPDATE;

-- name: load_states
SELECT trigger_id, project, orchestration, name, version, reset_count, enabled, cool_down_seconds, mode, generation,
       pending_job_id, last_started_at, due_at, deleted_at IS NOT NULL AS deleted
FROM triggers.states
WHERE trigger_id = ANY ($1::uuid[])
ORDER BY trigger_id;

-- name: load_counts
SELECT trigger_id, table_project, table_name, counted, counted_at, used
FROM triggers.counts
WHERE trigger_id = ANY ($1::uuid[]);

-- name: read_runs
WITH orchestrations AS (
    SELECT DISTINCT project, orchestration FROM triggers.states WHERE trigger_id = ANY ($1::uuid[])
), started AS MATERIALIZED (
    SELECT o.project, o.orchestration, latest.started_at, latest.finished_at
    FROM orchestrations o
    JOIN jobs.lanes_v1 l ON (l.project, l.component, l.configuration) = (o.project, 'orchestrator', o.orchestration)
    CROSS JOIN LATERAL (
        SELECT j.started_at, j.finished_at FROM jobs.jobs_v1 j
        WHERE j.lane_id = l.id AND j.started_at IS NOT NULL AND j.full_run
        ORDER BY j.number DESC LIMIT 20
    ) latest
)
SELECT s.trigger_id,
       pending.started_at AS pending_started_at,
       pending.finished_at IS NOT NULL AND pending.started_at IS NULL AS pending_ended_unstarted,
       own.started_at AS own_started_at,
       EXISTS (
           SELECT 1 FROM started r
           WHERE (r.project, r.orchestration) = (s.project, s.orchestration)
             AND r.finished_at IS NULL AND r.started_at > fire.at
       ) AS another_underway
FROM triggers.states s
LEFT JOIN jobs.jobs_v1 pending ON pending.id = s.pending_job_id
LEFT JOIN triggers.fires fire ON fire.job_id = s.pending_job_id
LEFT JOIN LATERAL (
    SELECT max(latest.started_at) AS started_at
    FROM (
        SELECT j.started_at FROM jobs.jobs_v1 j
        WHERE j.trigger_id = s.trigger_id AND j.origin = 'trigger'
        ORDER BY j.generation DESC LIMIT 5
    ) latest
) own ON true
WHERE s.trigger_id = ANY ($1::uuid[]);

-- name: read_used
-- Runs of one orchestration start one after another and each has used all that was heard before its start, so the
-- last started ones tell everything. Only what the counts do not say yet is returned.
WITH orchestrations AS (
    SELECT DISTINCT project, orchestration FROM triggers.states WHERE trigger_id = ANY ($1::uuid[])
), vectors AS MATERIALIZED (
    SELECT o.project, o.orchestration, entry.key, max(entry.value::bigint) AS seq
    FROM orchestrations o
    JOIN jobs.lanes_v1 l ON (l.project, l.component, l.configuration) = (o.project, 'orchestrator', o.orchestration)
    CROSS JOIN LATERAL (
        SELECT j.used_updates FROM jobs.jobs_v1 j
        WHERE j.lane_id = l.id AND j.started_at IS NOT NULL AND j.full_run AND j.used_updates IS NOT NULL
        ORDER BY j.number DESC LIMIT 20
    ) latest
    CROSS JOIN LATERAL jsonb_each_text(latest.used_updates) entry
    GROUP BY 1, 2, 3
)
SELECT c.trigger_id, c.table_project, c.table_name, v.seq
FROM triggers.counts c
JOIN triggers.states s ON s.trigger_id = c.trigger_id
JOIN vectors v ON (v.project, v.orchestration, v.key)
    = (s.project, s.orchestration, c.table_project || '/' || c.table_name)
WHERE c.trigger_id = ANY ($1::uuid[]) AND v.seq > c.used;

-- name: insert_state
INSERT INTO triggers.states (trigger_id, project, orchestration, name, version, reset_count, enabled, cool_down_seconds, mode)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (trigger_id) DO NOTHING
RETURNING trigger_id;

-- name: save_states
UPDATE triggers.states s
SET project = n.project, orchestration = n.orchestration, name = n.name, version = n.version,
    reset_count = n.reset_count, enabled = n.enabled, cool_down_seconds = n.cool_down_seconds, mode = n.mode,
    generation = n.generation, pending_job_id = n.pending_job_id, last_started_at = n.last_started_at,
    due_at = n.due_at,
    deleted_at = CASE WHEN n.deleted THEN coalesce(s.deleted_at, clock_timestamp()) END
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::integer[], $7::boolean[],
            $8::integer[], $9::text[], $10::integer[], $11::uuid[], $12::timestamptz[], $13::timestamptz[],
            $14::boolean[])
    AS n (trigger_id, project, orchestration, name, version, reset_count, enabled, cool_down_seconds, mode,
          generation, pending_job_id, last_started_at, due_at, deleted)
WHERE s.trigger_id = n.trigger_id;

-- name: save_counts
INSERT INTO triggers.counts AS c (trigger_id, table_project, table_name, counted, counted_at, used)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::bigint[])
ON CONFLICT (trigger_id, table_project, table_name)
DO UPDATE SET counted = excluded.counted, counted_at = excluded.counted_at, used = excluded.used
WHERE (c.counted, c.counted_at, c.used) IS DISTINCT FROM (excluded.counted, excluded.counted_at, excluded.used);

-- name: drop_other_counts
DELETE FROM triggers.counts c
WHERE c.trigger_id = $1
  AND (c.table_project, c.table_name) NOT IN (SELECT * FROM unnest($2::text[], $3::text[]));

-- name: insert_dispositions
INSERT INTO triggers.dispositions (trigger_id, project, table_name, seq, disposition, at, job_id)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::timestamptz[], $7::uuid[]);

-- name: insert_fire
INSERT INTO triggers.fires (trigger_id, generation, job_id, at, tables) VALUES ($1, $2, $3, $4, $5);

-- name: end_fire
UPDATE triggers.fires SET ended = $2, started_at = $3 WHERE job_id = $1;

-- name: insert_edit
INSERT INTO triggers.edits (trigger_id, version, reset_count, at, enabled, detail)
VALUES ($1, $2, $3, clock_timestamp(), $4, $5);

-- name: forget_fires
WITH old AS (
    SELECT f.trigger_id, f.generation
    FROM triggers.fires f
    WHERE f.at < clock_timestamp() - $1::interval
      AND f.generation < (SELECT s.generation FROM triggers.states s WHERE s.trigger_id = f.trigger_id)
    ORDER BY f.at LIMIT $2 FOR UPDATE OF f SKIP LOCKED
)
DELETE FROM triggers.fires f USING old
WHERE (f.trigger_id, f.generation) = (old.trigger_id, old.generation);

-- name: forget_edits
WITH old AS (
    SELECT ctid FROM triggers.edits WHERE at < clock_timestamp() - $1::interval
    LIMIT $2 FOR UPDATE SKIP LOCKED
)
DELETE FROM triggers.edits e USING old WHERE e.ctid = old.ctid;

-- Updates as they are heard. Lock order everywhere: tables, then states, each sorted.

-- name: unknown_projects
SELECT DISTINCT asked.project
FROM unnest($1::text[]) AS asked (project)
WHERE NOT EXISTS (SELECT 1 FROM catalog.projects_v1 p WHERE p.id = asked.project);

-- name: lock_tables
-- An upsert, so that a table not heard of yet is locked like the others, in one sorted statement.
INSERT INTO triggers.tables (project, name)
SELECT asked.project, asked.name
FROM unnest($1::text[], $2::text[]) AS asked (project, name)
ORDER BY asked.project COLLATE "C", asked.name COLLATE "C"
ON CONFLICT (project, name) DO UPDATE SET last_seq = tables.last_seq
RETURNING project, name, last_seq;

-- name: count_deliveries
-- An id that another table had before stands with its table behind it (see the column told_id).
UPDATE triggers.updates u
SET deliveries = u.deliveries + again.times
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[])
    AS again (project, source, event_id, table_name, times)
CROSS JOIN LATERAL (VALUES (again.event_id), (again.event_id || E'\x1f' || again.table_name)) AS stored (event_id)
WHERE (u.project, u.source, u.event_id) = (again.project, again.source, stored.event_id)
  AND u.table_name = again.table_name
RETURNING u.project, u.source, again.event_id, u.table_name;

-- name: insert_updates
-- Sorted by key: two watchers that hear the same id for different tables wait for each other in one order only.
INSERT INTO triggers.updates (project, source, event_id, told_id, table_name, seq, heard_at, said_at, row_count, job_id,
                              deliveries, chain_length)
SELECT project, source, event_id, told_id, table_name, seq, heard_at, said_at, row_count, job_id, deliveries, chain_length
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[],
            $8::timestamptz[], $9::bigint[], $10::uuid[], $11::integer[], $12::integer[])
    AS heard (project, source, event_id, told_id, table_name, seq, heard_at, said_at, row_count, job_id, deliveries,
              chain_length)
ORDER BY project COLLATE "C", source COLLATE "C", event_id COLLATE "C"
ON CONFLICT (project, source, event_id) DO NOTHING
RETURNING project, source, coalesce(told_id, event_id) AS event_id, table_name;

-- name: chains_of_jobs
SELECT id, chain_length FROM jobs.chains_v1 WHERE id = ANY ($1::uuid[]);

-- name: advance_tables
UPDATE triggers.tables t
SET last_seq = heard.seq, last_heard_at = heard.at
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[]) AS heard (project, name, seq, at)
WHERE (t.project, t.name) = (heard.project, heard.name);

-- name: read_clock
SELECT clock_timestamp();

-- name: forget_updates
WITH old AS (
    SELECT project, source, event_id FROM triggers.updates
    WHERE heard_at < clock_timestamp() - $1::interval
    ORDER BY heard_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
DELETE FROM triggers.updates u USING old
WHERE (u.project, u.source, u.event_id) = (old.project, old.source, old.event_id);

-- name: forget_dispositions
WITH old AS (
    SELECT trigger_id, project, table_name, seq FROM triggers.dispositions
    WHERE at < clock_timestamp() - $1::interval
    ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED
)
DELETE FROM triggers.dispositions d USING old
WHERE (d.trigger_id, d.project, d.table_name, d.seq) = (old.trigger_id, old.project, old.table_name, old.seq);

-- Updates. Lock order everywhere: tables, then states, each sorted.

-- name: lock_tables
-- An upsert, so that new tables are locked together with the others, in one sorted statement.
INSERT INTO triggers.tables (project, name)
SELECT asked.project, asked.name
FROM unnest($projects::text[], $names::text[]) AS asked (project, name)
ORDER BY asked.project COLLATE "C", asked.name COLLATE "C"
ON CONFLICT (project, name) DO UPDATE SET last_seq = tables.last_seq
RETURNING project, name, last_seq;

-- name: count_deliveries
-- An id that another table had before is stored with its table appended (see the column told_id).
UPDATE triggers.updates u
SET deliveries = u.deliveries + again.times
FROM unnest($projects::text[], $sources::text[], $event_ids::text[], $names::text[], $times::integer[])
    AS again (project, source, event_id, table_name, times)
CROSS JOIN LATERAL (VALUES (again.event_id), (again.event_id || E'\x1f' || again.table_name)) AS stored (event_id)
WHERE (u.project, u.source, u.event_id) = (again.project, again.source, stored.event_id)
  AND u.table_name = again.table_name
RETURNING u.project, u.source, again.event_id, u.table_name;

-- name: insert_updates
-- Sorted by key: two watchers that get the same id for different tables lock it in one order, so they cannot deadlock.
INSERT INTO triggers.updates (project, source, event_id, told_id, table_name, seq, heard_at, said_at, row_count, job_id,
                              deliveries, chain_length)
SELECT project, source, event_id, told_id, table_name, seq, heard_at, said_at, row_count, job_id, deliveries, chain_length
FROM unnest($projects::text[], $sources::text[], $event_ids::text[], $told_ids::text[], $names::text[],
            $numbers::bigint[], $heard_at::timestamptz[], $said_at::timestamptz[], $row_counts::bigint[],
            $job_ids::uuid[], $deliveries::integer[], $chain_lengths::integer[])
    AS heard (project, source, event_id, told_id, table_name, seq, heard_at, said_at, row_count, job_id, deliveries,
              chain_length)
ORDER BY project COLLATE "C", source COLLATE "C", event_id COLLATE "C"
ON CONFLICT (project, source, event_id) DO NOTHING
RETURNING project, source, coalesce(told_id, event_id) AS event_id, table_name;

-- name: chains_of_jobs
SELECT id, chain_length FROM jobs.chains_v1 WHERE id = ANY ($job_ids::uuid[]);

-- name: advance_tables
UPDATE triggers.tables t
SET last_seq = heard.seq, last_heard_at = heard.at
FROM unnest($projects::text[], $names::text[], $numbers::bigint[], $times::timestamptz[])
    AS heard (project, name, seq, at)
WHERE (t.project, t.name) = (heard.project, heard.name);

-- name: read_clock
SELECT clock_timestamp();

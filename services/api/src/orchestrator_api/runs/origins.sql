-- What made a run start, whose rights its jobs have, and what they wrote.

-- name: updates_used
-- The newest update of each table of the trigger that asked for this run; they completed the set.
SELECT CASE WHEN item ->> 'project' = $project THEN item ->> 'table'
            ELSE concat(item ->> 'project', '/', item ->> 'table') END AS "table",
       (item ->> 'seq')::bigint AS seq, d.event_id, d.source, coalesce(d.at, (item ->> 'heard_at')::timestamptz) AS heard_at
FROM triggers.fires_v1 f
CROSS JOIN LATERAL jsonb_path_query(f.tables, '$[*]') AS item
LEFT JOIN triggers.dispositions_v1 d
  ON (d.trigger_id, d.project, d.table_name, d.seq)
     = (f.trigger_id, item ->> 'project', item ->> 'table', (item ->> 'seq')::bigint)
WHERE f.job_id = $job_id AND EXISTS (SELECT FROM catalog.triggers o WHERE o.id = f.trigger_id AND o.project = $project)
ORDER BY item ->> 'project' <> $project, "table"

-- name: ran_as
SELECT CASE t.kind WHEN 'api' THEN 'token' ELSE t.kind END AS kind,
       CASE t.kind WHEN 'orchestration' THEN coalesce(o.orchestration, t.name)
                   WHEN 'person' THEN coalesce(p.email, t.name) ELSE t.name END AS name
FROM jobs.jobs_v1 j
JOIN catalog.tokens t ON t.id = j.token_id AND (t.project IS NULL OR t.project = j.project)
LEFT JOIN catalog.orchestration_tokens o ON o.project = j.project AND o.token_id = t.id
LEFT JOIN catalog.people p ON p.id = t.person_id
WHERE j.project = $project AND j.id = $job_id

-- name: tables_written
-- What a job, or the jobs of a run and of the runs nested in it, reported as their outputs.
WITH RECURSIVE runs AS (
    SELECT j.id FROM jobs.jobs_v1 j WHERE j.id = $job_id AND j.project = $project
    UNION ALL
    SELECT c.id FROM runs r JOIN jobs.jobs_v1 c ON c.parent_id = r.id WHERE c.kind = 'run'
)
SELECT DISTINCT output ->> 'table' AS name
FROM runs r
JOIN jobs.jobs_v1 c ON (c.parent_id = r.id OR c.id = $job_id AND r.id = $job_id) AND c.output_tables <> '[]'
CROSS JOIN LATERAL jsonb_path_query(c.output_tables, '$[*]') AS output
WHERE output ->> 'table' IS NOT NULL
ORDER BY name
LIMIT $limit

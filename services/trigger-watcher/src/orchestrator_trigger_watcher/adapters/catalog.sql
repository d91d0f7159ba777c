-- What people saved, against what the watcher knows of it.

-- name: read_definition
SELECT t.id, t.project, t.orchestration, t.name, t.version, t.reset_count, t.enabled, t.cool_down_seconds, t.mode,
       t.deleted_at IS NOT NULL AS deleted,
       coalesce((SELECT jsonb_agg(jsonb_build_array(tt.table_project, tt.table_name))
                 FROM catalog.trigger_tables_v1 tt WHERE tt.trigger_id = t.id), '[]'::jsonb) AS tables
FROM catalog.triggers_v1 t
WHERE t.id = $1;

-- name: stale_triggers_of_tables
-- By the catalog's word (selected now) and by ours (selected before).
WITH touching AS (
    SELECT tt.trigger_id
    FROM unnest($1::text[], $2::text[]) AS heard (project, name)
    JOIN catalog.trigger_tables_v1 tt ON (tt.table_project, tt.table_name) = (heard.project, heard.name)
    UNION
    SELECT c.trigger_id
    FROM unnest($1::text[], $2::text[]) AS heard (project, name)
    JOIN triggers.counts c ON (c.table_project, c.table_name) = (heard.project, heard.name)
)
SELECT touching.trigger_id
FROM touching
LEFT JOIN catalog.triggers_v1 t ON t.id = touching.trigger_id
LEFT JOIN triggers.states s ON s.trigger_id = touching.trigger_id
WHERE CASE
    WHEN s.trigger_id IS NULL OR s.deleted_at IS NOT NULL THEN t.id IS NOT NULL AND t.deleted_at IS NULL
    WHEN t.id IS NULL OR t.deleted_at IS NOT NULL THEN true
    ELSE (s.version, s.reset_count, s.enabled) <> (t.version, t.reset_count, t.enabled)
END
ORDER BY touching.trigger_id;

-- name: stale_triggers
SELECT coalesce(t.id, s.trigger_id) AS trigger_id
FROM catalog.triggers_v1 t
FULL JOIN triggers.states s ON s.trigger_id = t.id
WHERE CASE
    WHEN s.trigger_id IS NULL OR s.deleted_at IS NOT NULL THEN t.id IS NOT NULL AND t.deleted_at IS NULL
    WHEN t.id IS NULL OR t.deleted_at IS NOT NULL THEN true
    ELSE (s.version, s.reset_count, s.enabled) <> (t.version, t.reset_count, t.enabled)
END
ORDER BY 1;

-- name: unsettled_orchestrations
-- What a lost run.started or run.finished would have told.
SELECT DISTINCT s.project, s.orchestration
FROM triggers.states s
WHERE EXISTS (
    SELECT 1 FROM jobs.jobs_v1 p
    WHERE p.id = s.pending_job_id AND (p.started_at IS NOT NULL OR p.finished_at IS NOT NULL)
) OR EXISTS (
    SELECT 1
    FROM triggers.counts c
    JOIN jobs.lanes_v1 l ON (l.project, l.component, l.configuration) = (s.project, 'orchestrator', s.orchestration)
    CROSS JOIN LATERAL (
        SELECT j.used_updates FROM jobs.jobs_v1 j
        WHERE j.lane_id = l.id AND j.started_at IS NOT NULL AND j.full_run
        ORDER BY j.number DESC LIMIT 20
    ) r
    WHERE c.trigger_id = s.trigger_id
      AND (r.used_updates ->> (c.table_project || '/' || c.table_name))::bigint > c.used
);

-- name: due_orchestrations
SELECT DISTINCT project, orchestration FROM triggers.states WHERE due_at <= clock_timestamp();

-- Saved triggers that have not been applied yet, and orchestrations that need another look.

-- name: stale_triggers
SELECT DISTINCT trigger_id FROM triggers.saved_versions WHERE NOT judged ORDER BY trigger_id;

-- name: unreconciled_orchestrations
-- Runs whose run.started or run.finished was lost.
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

-- name: unknown_projects
SELECT DISTINCT asked.project
FROM unnest($projects::text[]) AS asked (project)
WHERE NOT EXISTS (SELECT 1 FROM catalog.projects_v1 p WHERE p.id = asked.project);

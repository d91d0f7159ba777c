-- What orchestrations are checked against.

-- name: existing_configurations
SELECT c.component, c.id FROM catalog.configurations c
JOIN unnest($components::text[], $configurations::text[]) AS wanted (component, id) USING (component, id)
WHERE c.project = $project AND c.deleted_at IS NULL

-- name: existing_components
SELECT id FROM catalog.components WHERE id = ANY ($components::text[])

-- name: task_targets
-- Returns parameters only on request: those of all tasks of a list of orchestrations are too many.
-- Looks up each configuration by its name, because a join may read the whole project.
SELECT wanted.component, wanted.id, target.enabled, target.version,
       CASE WHEN $with_parameters AND wanted.component <> 'orchestrator' THEN target.parameters END AS parameters,
       CASE wanted.component WHEN 'orchestrator' THEN
           (SELECT count(*) FROM jsonb_path_query(target.parameters, '$.phases[*].tasks[*]')) ELSE 0 END AS tasks
FROM unnest($components::text[], $configurations::text[]) AS wanted (component, id)
CROSS JOIN LATERAL (
    SELECT c.enabled, c.version, v.parameters
    FROM catalog.configurations c
    JOIN catalog.configuration_versions v
      ON (v.project, v.component, v.configuration, v.version) = (c.project, c.component, c.id, c.version)
    WHERE (c.project, c.component, c.id) = ($project, wanted.component, wanted.id) AND c.deleted_at IS NULL
    LIMIT 1) target

-- name: component_tables
SELECT id, definition -> 'reads' AS reads, definition -> 'writes' AS writes
FROM catalog.components WHERE id = ANY ($components::text[])

-- name: written_tables
-- Reads what the last 20 jobs of each configuration reported as their outputs.
SELECT DISTINCT w.component, w.configuration, output ->> 'table' AS table_name
FROM unnest($components::text[], $configurations::text[]) AS w (component, configuration)
JOIN jobs.lanes_v1 l ON (l.project, l.component, l.configuration) = ($project, w.component, w.configuration)
CROSS JOIN LATERAL (
    SELECT j.output_tables FROM jobs.jobs_v1 j
    WHERE j.lane_id = l.id
    ORDER BY j.number DESC
    LIMIT 20) recent
CROSS JOIN LATERAL jsonb_path_query(recent.output_tables, '$[*]') AS output
WHERE output ->> 'table' IS NOT NULL

-- name: is_table
SELECT EXISTS (SELECT FROM triggers.tables_v1 WHERE project = $project AND name = $name)

-- name: component_types
SELECT id, type FROM catalog.components WHERE id = ANY ($components::text[])

-- name: names
SELECT c.id, c.name FROM catalog.configurations c
WHERE c.project = $project AND c.component = 'orchestrator' AND c.deleted_at IS NULL
ORDER BY c.id
LIMIT $limit

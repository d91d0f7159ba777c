-- Configurations and their versions; orchestrations are those of the component orchestrator.

-- name: configurations
SELECT c.component, c.id, c.name, c.description, c.enabled, c.version, v.note, v.author,
       coalesce(v.parameters_as_written, v.parameters::json) AS parameters, c.created_at, v.created_at AS updated_at
FROM catalog.configurations c
JOIN catalog.configuration_versions v
  ON (v.project, v.component, v.configuration, v.version) = (c.project, c.component, c.id, c.version)
WHERE c.project = $1 AND c.deleted_at IS NULL
  AND CASE WHEN $2::text IS NULL THEN c.component <> 'orchestrator' ELSE c.component = $2 END
  AND ($3::text IS NULL OR (c.component, c.id) > ($3, $4))
ORDER BY c.component, c.id
LIMIT $5

-- name: configuration_sizes
-- In bytes, of the rows that `configurations` would read.
SELECT octet_length(v.parameters::text)
FROM catalog.configurations c
JOIN catalog.configuration_versions v
  ON (v.project, v.component, v.configuration, v.version) = (c.project, c.component, c.id, c.version)
WHERE c.project = $1 AND c.deleted_at IS NULL
  AND CASE WHEN $2::text IS NULL THEN c.component <> 'orchestrator' ELSE c.component = $2 END
  AND ($3::text IS NULL OR (c.component, c.id) > ($3, $4))
ORDER BY c.component, c.id
LIMIT $5

-- name: configuration
SELECT c.component, c.id, c.name, c.description, c.enabled, c.version, v.note, v.author,
       coalesce(v.parameters_as_written, v.parameters::json) AS parameters, c.created_at, v.created_at AS updated_at, c.deleted_at
FROM catalog.configurations c
JOIN catalog.configuration_versions v
  ON (v.project, v.component, v.configuration, v.version) = (c.project, c.component, c.id, c.version)
WHERE c.project = $1 AND c.component = $2 AND c.id = $3

-- name: lock_configuration
SELECT version FROM catalog.configurations WHERE project = $1 AND component = $2 AND id = $3 FOR UPDATE

-- name: lock_orchestrations_of_project
-- Saves of a project's orchestrations take turns: otherwise two of them could close a cycle between them.
SELECT pg_advisory_xact_lock(7203152, hashtext($1))

-- name: insert_configuration
INSERT INTO catalog.configurations (project, component, id, name, description, enabled, version)
VALUES ($1, $2, $3, $4, $5, $6, 1)
ON CONFLICT DO NOTHING
RETURNING id

-- name: update_configuration
UPDATE catalog.configurations
SET name = $4, description = $5, enabled = $6, version = $7, deleted_at = NULL
WHERE project = $1 AND component = $2 AND id = $3

-- name: delete_configuration
UPDATE catalog.configurations SET deleted_at = clock_timestamp()
WHERE project = $1 AND component = $2 AND id = $3 AND deleted_at IS NULL

-- name: insert_version
INSERT INTO catalog.configuration_versions
    (project, component, configuration, version, parameters, parameters_as_written, note, author)
VALUES ($1, $2, $3, $4, $5::json::jsonb, $5::json, $6, $7)

-- name: versions
SELECT version, coalesce(parameters_as_written, parameters::json) AS parameters, note, author, created_at
FROM catalog.configuration_versions
WHERE project = $1 AND component = $2 AND configuration = $3 AND ($4::integer IS NULL OR version < $4)
ORDER BY version DESC
LIMIT $5

-- name: version_sizes
SELECT octet_length(parameters::text)
FROM catalog.configuration_versions
WHERE project = $1 AND component = $2 AND configuration = $3 AND ($4::integer IS NULL OR version < $4)
ORDER BY version DESC
LIMIT $5

-- name: version
SELECT version, coalesce(parameters_as_written, parameters::json) AS parameters FROM catalog.configuration_versions
WHERE project = $1 AND component = $2 AND configuration = $3 AND version = $4

-- name: existing_configurations
SELECT c.component, c.id, c.version FROM catalog.configurations c
JOIN unnest($2::text[], $3::text[]) AS wanted (component, id) USING (component, id)
WHERE c.project = $1 AND c.deleted_at IS NULL

-- name: saved_configurations
SELECT c.component, c.id, c.version, v.created_at AS saved_at
FROM catalog.configurations c
JOIN unnest($2::text[], $3::text[]) AS wanted (component, id) USING (component, id)
JOIN catalog.configuration_versions v
  ON (v.project, v.component, v.configuration, v.version) = (c.project, c.component, c.id, c.version)
WHERE c.project = $1 AND c.deleted_at IS NULL

-- name: existing_components
SELECT id FROM catalog.components WHERE id = ANY ($1::text[])

-- name: task_targets
-- Parameters only where they are wanted: those of all tasks of a list of orchestrations are many.
SELECT c.component, c.id, c.enabled, c.version,
       CASE WHEN $4 AND c.component <> 'orchestrator' THEN v.parameters END AS parameters,
       CASE c.component WHEN 'orchestrator' THEN
           (SELECT count(*) FROM jsonb_path_query(v.parameters, '$.phases[*].tasks[*]')) ELSE 0 END AS tasks
FROM catalog.configurations c
JOIN unnest($2::text[], $3::text[]) AS wanted (component, id) USING (component, id)
JOIN catalog.configuration_versions v
  ON (v.project, v.component, v.configuration, v.version) = (c.project, c.component, c.id, c.version)
WHERE c.project = $1 AND c.deleted_at IS NULL

-- name: override_targets
-- What parameters of a run or of a task are merged over, in the versions asked for or else the current ones.
SELECT c.component, c.id, wanted.version AS asked, v.parameters, k.definition -> 'parameters' AS schema
FROM unnest($2::text[], $3::text[], $4::integer[]) AS wanted (component, id, version)
JOIN catalog.configurations c
  ON (c.project, c.component, c.id) = ($1, wanted.component, wanted.id) AND c.deleted_at IS NULL
JOIN catalog.configuration_versions v
  ON (v.project, v.component, v.configuration, v.version)
   = (c.project, c.component, c.id, coalesce(wanted.version, c.version))
JOIN catalog.components k ON k.id = c.component

-- name: component_tables
SELECT id, definition -> 'reads' AS reads, definition -> 'writes' AS writes
FROM catalog.components WHERE id = ANY ($1::text[])

-- name: written_tables
-- What the last 20 jobs of each configuration reported as their outputs.
SELECT DISTINCT w.component, w.configuration, output ->> 'table' AS table_name
FROM unnest($2::text[], $3::text[]) AS w (component, configuration)
JOIN jobs.lanes_v1 l ON (l.project, l.component, l.configuration) = ($1, w.component, w.configuration)
CROSS JOIN LATERAL (
    SELECT j.output_tables FROM jobs.jobs_v1 j
    WHERE j.lane_id = l.id
    ORDER BY j.number DESC
    LIMIT 20) recent
CROSS JOIN LATERAL jsonb_path_query(recent.output_tables, '$[*]') AS output
WHERE output ->> 'table' IS NOT NULL

-- name: component_types
SELECT id, type FROM catalog.components WHERE id = ANY ($1::text[])

-- name: nestings
-- Which orchestration runs which, by the current versions.
SELECT c.id AS parent, t.task ->> 'configuration' AS child
FROM catalog.configurations c
JOIN catalog.configuration_versions v
  ON (v.project, v.component, v.configuration, v.version) = (c.project, c.component, c.id, c.version)
CROSS JOIN LATERAL jsonb_path_query(v.parameters, '$.phases[*].tasks[*]') AS t (task)
WHERE c.project = $1 AND c.component = 'orchestrator' AND c.deleted_at IS NULL
  AND t.task ->> 'component' = 'orchestrator'

-- name: usages
SELECT DISTINCT c.id
FROM catalog.configurations c
JOIN catalog.configuration_versions v
  ON (v.project, v.component, v.configuration, v.version) = (c.project, c.component, c.id, c.version)
CROSS JOIN LATERAL jsonb_path_query(v.parameters, '$.phases[*].tasks[*]') AS t (task)
WHERE c.project = $1 AND c.component = 'orchestrator' AND c.deleted_at IS NULL
  AND t.task ->> 'component' = $2 AND t.task ->> 'configuration' = $3
ORDER BY c.id

-- name: subscriptions
SELECT v.orchestration, v.event, v.channel, v.address, v.percent, v.minutes, s.automatic
FROM catalog.subscriptions_v1 v JOIN catalog.subscriptions s ON s.id = v.id
WHERE v.project = $1 AND ($2::text IS NULL OR v.orchestration = $2) AND v.channel = 'email' AND v.event <> 'deadline_missed'
ORDER BY v.orchestration, v.address, v.event

-- name: save_subscription
INSERT INTO catalog.subscriptions (id, project, orchestration, event, channel, address, percent, minutes)
VALUES ($1, $2, $3, $4, 'email', $5, $6, $7)
ON CONFLICT (project, orchestration, event, channel, address)
    DO UPDATE SET percent = excluded.percent, minutes = excluded.minutes, automatic = false,
        changed_at = clock_timestamp()

-- name: subscribe_creator
INSERT INTO catalog.subscriptions (id, project, orchestration, event, channel, address, automatic)
VALUES ($1, $2, $3, 'error', 'email', $4, true)
ON CONFLICT DO NOTHING

-- name: delete_subscription
DELETE FROM catalog.subscriptions
WHERE project = $1 AND orchestration = $2 AND event = $3 AND channel = 'email' AND address = $4

-- name: variable_users
-- Configurations and tasks that may use the variable: it is named in them, or may be in a secret of theirs. Beside the
-- current versions those that tasks pin.
WITH RECURSIVE reached (component, id, version) AS (
    SELECT component, id, version::numeric FROM catalog.configurations WHERE project = $1 AND deleted_at IS NULL
    UNION
    SELECT t.task ->> 'component', t.task ->> 'configuration', (t.task #>> '{parameters,version}')::numeric
    FROM reached r
    JOIN catalog.configuration_versions v
      ON (v.project, v.component, v.configuration, v.version) = ($1, r.component, r.id, r.version)
    CROSS JOIN LATERAL jsonb_path_query(v.parameters, '$.phases[*].tasks[*]') AS t (task)
    WHERE r.component = 'orchestrator' AND jsonb_typeof(t.task #> '{parameters,version}') = 'number'
)
SELECT CASE r.component WHEN 'orchestrator' THEN t.task ->> 'component' ELSE r.component END AS component,
       coalesce(t.task, v.parameters) AS parameters
FROM reached r
JOIN catalog.configuration_versions v
  ON (v.project, v.component, v.configuration, v.version) = ($1, r.component, r.id, r.version)
LEFT JOIN LATERAL jsonb_path_query(v.parameters, '$.phases[*].tasks[*]') AS t (task) ON r.component = 'orchestrator'
WHERE (strpos(coalesce(t.task, v.parameters)::text, 'vars.' || $2) > 0
       OR strpos(coalesce(t.task, v.parameters)::text, '"enc:v1:') > 0)

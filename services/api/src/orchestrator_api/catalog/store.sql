-- Components, and configurations with their versions; orchestrations are the configurations of the component
-- orchestrator.

-- name: taken_names
-- Which of these names orchestrations have, in upper or lower case.
SELECT wanted.name
FROM unnest($names::text[]) AS wanted (name)
WHERE EXISTS (SELECT FROM catalog.configurations c
              WHERE c.project = $project AND c.component = 'orchestrator' AND lower(c.name) = lower(wanted.name)
                AND c.deleted_at IS NULL)

-- name: all_orchestrations
SELECT c.component, c.id, c.name, c.description, c.labels, c.enabled, c.version, v.note, v.author,
       coalesce(v.parameters_as_written, v.parameters::json) AS parameters, c.created_at, v.created_at AS updated_at,
       c.deleted_at, c.purged_at
FROM catalog.configurations c
JOIN catalog.configuration_versions v
  ON (v.project, v.component, v.configuration, v.version) = (c.project, c.component, c.id, c.version)
WHERE c.project = $project AND c.component = 'orchestrator' AND c.deleted_at IS NULL
ORDER BY c.id

-- part: wanted
-- Filters that are seldom given stand where the planner does not count on them: it would expect so few rows that it
-- would rather sort all there are.
FROM catalog.listed_configurations c
CROSS JOIN LATERAL (
    SELECT * FROM catalog.configuration_versions v
    WHERE (v.project, v.component, v.configuration, v.version) = (c.project, c.component, c.id, c.version)
      AND CASE WHEN $labels::text[] IS NOT NULL AND NOT c.labels @> $labels THEN false
               WHEN $starts::text IS NOT NULL
                    AND NOT CASE $starts WHEN 'time' THEN c.has_schedule WHEN 'tables' THEN c.has_trigger
                                         ELSE NOT (c.has_schedule OR c.has_trigger) END THEN false
               WHEN $type::text IS NOT NULL
                    AND NOT EXISTS (SELECT FROM catalog.components k WHERE k.id = c.component AND k.type = $type) THEN false
               WHEN $statuses::text[] IS NULL THEN true
               ELSE coalesce(c.last_status, 'none') = ANY ($statuses) END
    LIMIT 1) v
WHERE c.project = $project AND c.deleted_at IS NULL
  AND CASE WHEN $component::text IS NULL THEN c.component <> 'orchestrator' ELSE c.component = $component END
  AND ($enabled::boolean IS NULL OR c.enabled = $enabled)
  AND ($search::text IS NULL
       OR strpos(lower(concat_ws(' ', CASE WHEN $component IS NULL THEN c.component || '/' END || c.id, c.id, c.name, c.description, array_to_string(c.labels, ' '))), lower($search)) > 0)

-- part: wanted_keys
-- Which configurations a page shows, and the sizes of their parameters in bytes.
SELECT c.component, c.id, c.name, c.updated_at, octet_length(v.parameters::text) AS size
{{part wanted}}

-- part: next_component
-- Before which a list from the end begins: the component that comes next, or from behind the last one.
coalesce($after_component, (SELECT min(id) FROM catalog.components WHERE id > $component),
                  (SELECT max(id) || 'z' FROM catalog.components))

-- name: configurations_by_id
-- In index order, as the others.
{{part wanted_keys}}
  AND (c.component, c.id) > (coalesce($after_component, $component, ''), coalesce($after, ''))
  AND c.component <= coalesce($component, (SELECT max(id) FROM catalog.components))
ORDER BY c.component, c.id
LIMIT $limit

-- name: configurations_by_id_backwards
{{part wanted_keys}}
  AND (c.component, c.id) < ({{part next_component}}, coalesce($after, ''))
  AND c.component >= coalesce($component, '')
ORDER BY c.component DESC, c.id DESC
LIMIT $limit

-- name: configurations_by_name
{{part wanted_keys}}
  AND (c.component, lower(c.name), c.id)
      > (coalesce($after_component, $component, ''), lower(coalesce($after_name, '')), coalesce($after, ''))
  AND c.component <= coalesce($component, (SELECT max(id) FROM catalog.components))
ORDER BY c.component, lower(c.name), c.id
LIMIT $limit

-- name: configurations_by_name_backwards
{{part wanted_keys}}
  AND (c.component, lower(c.name), c.id)
      < ({{part next_component}}, lower(coalesce($after_name, '')), coalesce($after, ''))
  AND c.component >= coalesce($component, '')
ORDER BY c.component DESC, lower(c.name) DESC, c.id DESC
LIMIT $limit

-- name: configurations_by_update
{{part wanted_keys}}
  AND (c.component, c.updated_at, c.id)
      > (coalesce($after_component, $component, ''), coalesce($after_update::timestamptz, '-infinity'), coalesce($after, ''))
  AND c.component <= coalesce($component, (SELECT max(id) FROM catalog.components))
ORDER BY c.component, c.updated_at, c.id
LIMIT $limit

-- name: configurations_by_update_backwards
{{part wanted_keys}}
  AND (c.component, c.updated_at, c.id)
      < ({{part next_component}}, coalesce($after_update::timestamptz, '-infinity'), coalesce($after, ''))
  AND c.component >= coalesce($component, '')
ORDER BY c.component DESC, c.updated_at DESC, c.id DESC
LIMIT $limit

-- name: orchestrations_by_next_fire
-- Those that time does not start come last: a cursor must hold a value for them too. Next fires change all the time, so
-- no index has this order: those of all orchestrations that match are looked up.
WITH found AS MATERIALIZED (
    SELECT c.component, c.id, c.name, c.updated_at, c.version,
           coalesce(CASE WHEN c.enabled THEN (
               SELECT min((SELECT n.next_at FROM scheduler.next_fires_v1 n
                           WHERE n.schedule_id = s.id AND n.version = s.version AND n.enabled))
               FROM catalog.schedules s
               WHERE s.project = $project AND s.orchestration = c.id AND s.deleted_at IS NULL) END,
               timestamptz '9000-01-01 00:00:00Z') AS next_fire
    {{part wanted}}
), listed AS (
    SELECT * FROM found
    WHERE (next_fire, id) > (coalesce($after_fire::timestamptz, '-infinity'), coalesce($after, ''))
    ORDER BY next_fire, id
    LIMIT $limit
)
SELECT l.component, l.id, l.name, l.updated_at, octet_length(v.parameters::text) AS size, l.next_fire
FROM listed l
JOIN catalog.configuration_versions v
  ON (v.project, v.component, v.configuration, v.version) = ($project, l.component, l.id, l.version)
ORDER BY l.next_fire, l.id

-- name: counts_of_orchestrations
-- By what lists are filtered by, among the first $looked that match the search and the labels.
WITH looked AS MATERIALIZED (
    SELECT c.enabled, c.has_schedule, c.has_trigger, coalesce(c.last_status, 'none') AS last_status
    FROM catalog.listed_configurations c
    WHERE c.project = $project AND c.component = 'orchestrator' AND c.deleted_at IS NULL
      AND ($labels::text[] IS NULL OR c.labels @> $labels)
      AND ($search::text IS NULL
           OR strpos(lower(concat_ws(' ', c.id, c.name, c.description, array_to_string(c.labels, ' '))), lower($search)) > 0)
    ORDER BY c.id
    LIMIT $looked
)
SELECT count(*) AS total,
       count(*) FILTER (WHERE last_status = 'error') AS failed,
       count(*) FILTER (WHERE last_status IN ('processing', 'terminating')) AS running,
       count(*) FILTER (WHERE last_status = 'waiting') AS waiting,
       count(*) FILTER (WHERE last_status = 'none') AS never_run,
       count(*) FILTER (WHERE NOT enabled) AS disabled,
       count(*) FILTER (WHERE has_schedule) AS by_time,
       count(*) FILTER (WHERE has_trigger) AS by_tables,
       count(*) FILTER (WHERE NOT (has_schedule OR has_trigger)) AS manual
FROM looked

-- name: labels_in_use
SELECT label, count(*) AS orchestrations
FROM catalog.configurations c
CROSS JOIN LATERAL unnest(c.labels) AS label
WHERE c.project = $project AND c.component = 'orchestrator' AND c.deleted_at IS NULL
GROUP BY label
ORDER BY count(*) DESC, label
LIMIT $limit

-- name: listed_configurations
-- Those of a page, in its order. One that has just been moved to the trash is still shown: without it the page would look
-- like the last one. For the same reason it has the name and time it was found by, which the next page begins after.
SELECT c.component, c.id, wanted.name, c.description, c.labels, c.enabled, c.version, v.note, v.author,
       coalesce(v.parameters_as_written, v.parameters::json) AS parameters, c.created_at, wanted.updated_at,
       c.deleted_at, c.purged_at
FROM unnest($components::text[], $configurations::text[], $names::text[], $updates::timestamptz[])
     WITH ORDINALITY AS wanted (component, id, name, updated_at, place)
JOIN catalog.configurations c ON (c.project, c.component, c.id) = ($project, wanted.component, wanted.id)
JOIN catalog.configuration_versions v
  ON (v.project, v.component, v.configuration, v.version) = (c.project, c.component, c.id, c.version)
ORDER BY wanted.place

-- name: configuration_states
SELECT component, id, name, encode(sha256(convert_to(description, 'UTF8')), 'hex') AS description_digest, enabled,
       version, created_at
FROM catalog.configurations
WHERE project = $project AND deleted_at IS NULL AND component <> 'orchestrator'

-- name: named_configuration_sizes
SELECT octet_length(v.parameters::text)
FROM catalog.configurations c
JOIN unnest($components::text[], $configurations::text[]) AS wanted (component, id) USING (component, id)
JOIN catalog.configuration_versions v
  ON (v.project, v.component, v.configuration, v.version) = (c.project, c.component, c.id, c.version)
WHERE c.project = $project AND c.deleted_at IS NULL AND c.component <> 'orchestrator'

-- name: named_configurations
SELECT c.component, c.id, c.name, c.description, c.labels, c.enabled, c.version, v.note, v.author,
       coalesce(v.parameters_as_written, v.parameters::json) AS parameters, c.created_at, v.created_at AS updated_at,
       c.deleted_at, c.purged_at
FROM catalog.configurations c
JOIN unnest($components::text[], $configurations::text[]) AS wanted (component, id) USING (component, id)
JOIN catalog.configuration_versions v
  ON (v.project, v.component, v.configuration, v.version) = (c.project, c.component, c.id, c.version)
WHERE c.project = $project AND c.deleted_at IS NULL AND c.component <> 'orchestrator'

-- name: configuration
SELECT c.component, c.id, c.name, c.description, c.labels, c.enabled, c.version, v.note, v.author,
       coalesce(v.parameters_as_written, v.parameters::json) AS parameters, c.created_at, v.created_at AS updated_at,
       c.deleted_at, c.purged_at
FROM catalog.configurations c
JOIN catalog.configuration_versions v
  ON (v.project, v.component, v.configuration, v.version) = (c.project, c.component, c.id, c.version)
WHERE c.project = $project AND c.component = $component AND c.id = $configuration

-- name: lock_configuration
SELECT version FROM catalog.configurations
WHERE project = $project AND component = $component AND id = $configuration
FOR UPDATE

-- name: lock_creations_of_project
-- There is no row to lock before something is created. One lock for all of them: a request may create thousands,
-- and the server has room for a few thousand locks.
SELECT pg_advisory_xact_lock(7203153, hashtext($project))

-- name: insert_configuration
INSERT INTO catalog.configurations (project, component, id, name, description, labels, enabled, version)
VALUES ($project, $component, $configuration, $name, $description, $labels, $enabled, 1)
ON CONFLICT DO NOTHING
RETURNING id

-- name: update_configuration
UPDATE catalog.configurations
SET name = $name, description = $description, labels = $labels, enabled = $enabled, version = $version,
    deleted_at = NULL, deleted_by = NULL, purged_at = NULL,
    created_at = CASE WHEN deleted_at IS NOT NULL AND purged_at IS NOT NULL THEN clock_timestamp() ELSE created_at END
WHERE project = $project AND component = $component AND id = $configuration

-- name: delete_configuration
UPDATE catalog.configurations SET deleted_at = clock_timestamp(), deleted_by = $deleted_by
WHERE project = $project AND component = $component AND id = $configuration AND deleted_at IS NULL

-- name: restore_configuration
UPDATE catalog.configurations SET deleted_at = NULL, deleted_by = NULL
WHERE project = $project AND component = $component AND id = $configuration

-- name: purge_configuration
UPDATE catalog.configurations
SET purged_at = clock_timestamp(), name = id, description = '', labels = '{}', version = version + 1
WHERE project = $project AND component = $component AND id = $configuration

-- name: delete_versions
DELETE FROM catalog.configuration_versions
WHERE project = $project AND component = $component AND configuration = $configuration

-- name: trash
-- Along the index of the trash; schedules and triggers are counted for the orchestrations of this page only.
SELECT c.component, c.id, c.name, c.description, c.version, c.deleted_at, c.deleted_by,
       c.component || '/' || c.id AS key,
       (SELECT count(*) FROM catalog.schedules s
        WHERE c.component = 'orchestrator' AND (s.project, s.orchestration) = (c.project, c.id)
          AND s.deleted_at IS NULL) AS schedules,
       (SELECT count(*) FROM catalog.triggers t
        WHERE c.component = 'orchestrator' AND (t.project, t.orchestration) = (c.project, c.id)
          AND t.deleted_at IS NULL) AS triggers
FROM catalog.configurations c
WHERE c.project = $project AND c.deleted_at IS NOT NULL AND c.purged_at IS NULL
  AND ($before::timestamptz IS NULL
       OR (c.deleted_at <= $before AND (c.deleted_at, c.component || '/' || c.id) < ($before, $before_key)))
ORDER BY c.deleted_at DESC, c.component || '/' || c.id DESC
LIMIT $limit

-- name: insert_version
INSERT INTO catalog.configuration_versions
    (project, component, configuration, version, parameters, parameters_as_written, note, author)
VALUES ($project, $component, $configuration, $version, $parameters::json::jsonb, $parameters::json, $note, $author)

-- name: versions
SELECT version, coalesce(parameters_as_written::text, parameters::text) AS text, note, author, created_at
FROM catalog.configuration_versions
WHERE project = $project AND component = $component AND configuration = $configuration
  AND ($before::integer IS NULL OR version < $before)
ORDER BY version DESC
LIMIT $limit

-- name: version_sizes
SELECT octet_length(parameters::text)
FROM catalog.configuration_versions
WHERE project = $project AND component = $component AND configuration = $configuration
  AND ($before::integer IS NULL OR version < $before)
ORDER BY version DESC
LIMIT $limit

-- name: version
SELECT version, coalesce(parameters_as_written, parameters::json) AS parameters, note, author, created_at
FROM catalog.configuration_versions
WHERE project = $project AND component = $component AND configuration = $configuration AND version = $version

-- name: written_version
SELECT version, coalesce(parameters_as_written::text, parameters::text) AS text, note, author, created_at
FROM catalog.configuration_versions
WHERE project = $project AND component = $component AND configuration = $configuration AND version = $version

-- name: current_versions
SELECT c.component, c.id, c.version, v.created_at AS saved_at, v.author, v.note, c.name
FROM catalog.configurations c
JOIN unnest($components::text[], $configurations::text[]) AS wanted (component, id) USING (component, id)
JOIN catalog.configuration_versions v
  ON (v.project, v.component, v.configuration, v.version) = (c.project, c.component, c.id, c.version)
WHERE c.project = $project AND c.deleted_at IS NULL

-- name: override_targets
-- What parameters of a run or task are merged over, in the requested or else the current versions.
SELECT c.component, c.id, wanted.version AS requested_version, v.parameters, k.definition -> 'parameters' AS schema
FROM unnest($components::text[], $configurations::text[], $versions::integer[]) AS wanted (component, id, version)
JOIN catalog.configurations c
  ON (c.project, c.component, c.id) = ($project, wanted.component, wanted.id) AND c.deleted_at IS NULL
JOIN catalog.configuration_versions v
  ON (v.project, v.component, v.configuration, v.version)
   = (c.project, c.component, c.id, coalesce(wanted.version, c.version))
JOIN catalog.components k ON k.id = c.component

-- name: usages
-- The versions that name the configuration are found in an index; those of them that are current count.
WITH naming AS MATERIALIZED (
    SELECT v.project, v.component, v.configuration, v.version, v.parameters
    FROM catalog.configuration_versions v
    WHERE v.project = $project AND v.component = 'orchestrator'
      AND jsonb_path_query_array(v.parameters, '$.phases[*].tasks[*].configuration') ? $configuration
)
SELECT DISTINCT c.id
FROM naming n
CROSS JOIN LATERAL (
    SELECT c.id FROM catalog.configurations c
    WHERE (c.project, c.component, c.id) = (n.project, n.component, n.configuration)
      AND c.version = n.version AND c.deleted_at IS NULL
    LIMIT 1) c
CROSS JOIN LATERAL jsonb_path_query(n.parameters, '$.phases[*].tasks[*]') AS t (task)
WHERE t.task ->> 'component' = $component AND t.task ->> 'configuration' = $configuration
ORDER BY c.id

-- name: using_tasks
-- Found as in `usages`, with their tasks.
WITH naming AS MATERIALIZED (
    SELECT v.project, v.component, v.configuration, v.version, v.parameters
    FROM catalog.configuration_versions v
    WHERE v.project = $project AND v.component = 'orchestrator'
      AND jsonb_path_query_array(v.parameters, '$.phases[*].tasks[*].configuration') ? $configuration
)
SELECT c.id AS orchestration, c.name AS orchestration_name, c.enabled AS orchestration_enabled,
       p.phase ->> 'name' AS phase, t.task ->> 'id' AS task, (t.task -> 'enabled')::boolean AS task_enabled,
       CASE jsonb_typeof(t.task #> '{parameters,version}') WHEN 'number'
           THEN (t.task #>> '{parameters,version}')::numeric::integer END AS version
FROM naming n
CROSS JOIN LATERAL (
    SELECT c.id, c.name, c.enabled FROM catalog.configurations c
    WHERE (c.project, c.component, c.id) = (n.project, n.component, n.configuration)
      AND c.version = n.version AND c.deleted_at IS NULL
    LIMIT 1) c
CROSS JOIN LATERAL jsonb_array_elements(n.parameters -> 'phases') AS p (phase)
CROSS JOIN LATERAL jsonb_array_elements(p.phase -> 'tasks') AS t (task)
WHERE t.task ->> 'component' = $component AND t.task ->> 'configuration' = $configuration
  AND ($after::text IS NULL OR (c.id, t.task ->> 'id') > ($after, $after_task))
ORDER BY c.id, t.task ->> 'id'
LIMIT $limit

-- name: usage_counts
-- How many orchestrations run each of these; found as in `usages`.
WITH naming AS MATERIALIZED (
    SELECT v.project, v.component, v.configuration, v.version, v.parameters
    FROM catalog.configuration_versions v
    WHERE v.project = $project AND v.component = 'orchestrator'
      AND jsonb_path_query_array(v.parameters, '$.phases[*].tasks[*].configuration') ?| $configurations::text[]
)
SELECT wanted.component, wanted.id, count(DISTINCT c.id) AS orchestrations
FROM naming n
CROSS JOIN LATERAL (
    SELECT c.id FROM catalog.configurations c
    WHERE (c.project, c.component, c.id) = (n.project, n.component, n.configuration)
      AND c.version = n.version AND c.deleted_at IS NULL
    LIMIT 1) c
CROSS JOIN LATERAL jsonb_path_query(n.parameters, '$.phases[*].tasks[*]') AS t (task)
JOIN unnest($components::text[], $configurations) AS wanted (component, id)
  ON wanted.component = t.task ->> 'component' AND wanted.id = t.task ->> 'configuration'
GROUP BY wanted.component, wanted.id

-- name: components_in_use
-- Those that the project has configurations of, and of how many.
SELECT k.id, k.name, k.type, count(*) AS configurations
FROM catalog.configurations c JOIN catalog.components k ON k.id = c.component
WHERE c.project = $project AND c.component <> 'orchestrator' AND c.deleted_at IS NULL
GROUP BY k.id, k.name, k.type
ORDER BY k.id

-- name: variable_users
-- Configurations and tasks that may use the variable: they name it, or one of their secrets may. Reads the
-- current versions and those that tasks pin.
WITH RECURSIVE reached (component, id, version) AS (
    SELECT component, id, version::numeric FROM catalog.configurations WHERE project = $project AND deleted_at IS NULL
    UNION
    SELECT t.task ->> 'component', t.task ->> 'configuration', (t.task #>> '{parameters,version}')::numeric
    FROM reached r
    JOIN catalog.configuration_versions v
      ON (v.project, v.component, v.configuration, v.version) = ($project, r.component, r.id, r.version)
    CROSS JOIN LATERAL jsonb_path_query(v.parameters, '$.phases[*].tasks[*]') AS t (task)
    WHERE r.component = 'orchestrator' AND jsonb_typeof(t.task #> '{parameters,version}') = 'number'
)
SELECT component, configuration, orchestration, task, version, parameters, users
FROM (
    SELECT CASE r.component WHEN 'orchestrator' THEN t.task ->> 'component' ELSE r.component END AS component,
           CASE r.component WHEN 'orchestrator' THEN t.task ->> 'configuration' ELSE r.id END AS configuration,
           CASE r.component WHEN 'orchestrator' THEN r.id END AS orchestration, t.task ->> 'id' AS task,
           r.version::integer AS version, coalesce(t.task, v.parameters) AS parameters, count(*) OVER () AS users,
           sum(octet_length(coalesce(t.task, v.parameters)::text)) OVER (ORDER BY r.component, r.id, r.version, t.task ->> 'id')
               AS bytes
    FROM reached r
    JOIN catalog.configuration_versions v
      ON (v.project, v.component, v.configuration, v.version) = ($project, r.component, r.id, r.version)
    LEFT JOIN LATERAL jsonb_path_query(v.parameters, '$.phases[*].tasks[*]') AS t (task)
        ON r.component = 'orchestrator'
    WHERE (strpos(coalesce(t.task, v.parameters)::text, 'vars.' || $name) > 0
           OR strpos(coalesce(t.task, v.parameters)::text, '"enc:v') > 0)
) found
WHERE $max_bytes::bigint IS NULL OR bytes <= $max_bytes
ORDER BY orchestration NULLS FIRST, component, configuration, version, task

-- name: components
SELECT id, name, type, executor, after_crash, definition_as_written AS definition, updated_at FROM catalog.components_v1
WHERE $after::text IS NULL OR id > $after
ORDER BY id
LIMIT $limit

-- name: component
SELECT id, name, type, executor, after_crash, definition_as_written AS definition, updated_at FROM catalog.components_v1
WHERE id = $component

-- name: lock_components
SELECT pg_advisory_xact_lock(7203154, 1)

-- name: save_component
INSERT INTO catalog.components (id, name, type, executor, after_crash, definition, definition_as_written)
VALUES ($component, $name, $kind, $executor, $after_crash, $definition::json::jsonb, $definition::json)
ON CONFLICT (id) DO UPDATE
SET name = excluded.name, type = excluded.type, executor = excluded.executor,
    after_crash = excluded.after_crash, definition = excluded.definition,
    definition_as_written = excluded.definition_as_written, updated_at = clock_timestamp()

-- name: lock_orchestrations_of_project
-- Serializes saves of a project's orchestrations: two concurrent ones could create a cycle together.
SELECT pg_advisory_xact_lock(7203152, hashtext($project))

-- name: nestings
-- Which orchestration runs which in the current versions.
SELECT c.id AS parent, t.task ->> 'configuration' AS child
FROM catalog.configurations c
JOIN catalog.configuration_versions v
  ON (v.project, v.component, v.configuration, v.version) = (c.project, c.component, c.id, c.version)
CROSS JOIN LATERAL jsonb_path_query(v.parameters, '$.phases[*].tasks[*]') AS t (task)
WHERE c.project = $project AND c.component = 'orchestrator' AND c.deleted_at IS NULL
  AND t.task ->> 'component' = 'orchestrator'

-- name: nestings_below
-- The orchestrations that these run, directly or through others; each is looked up by its name, too.
WITH RECURSIVE reached (id, children) AS (
    SELECT NULL::text, $orchestrations::text[]
    UNION
    SELECT r.id, array(
        SELECT task ->> 'configuration' FROM jsonb_path_query(found.parameters, '$.phases[*].tasks[*]') AS task
        WHERE task ->> 'component' = 'orchestrator')
    FROM (SELECT DISTINCT unnest(children) AS id FROM reached) r
    CROSS JOIN LATERAL (
        SELECT v.parameters
        FROM catalog.configurations c
        JOIN catalog.configuration_versions v
          ON (v.project, v.component, v.configuration, v.version) = (c.project, c.component, c.id, c.version)
        WHERE (c.project, c.component, c.id) = ($project, 'orchestrator', r.id) AND c.deleted_at IS NULL
        LIMIT 1) found
)
SELECT id AS parent, unnest(children) AS child FROM reached WHERE id IS NOT NULL

-- name: lock_orchestration
SELECT id FROM catalog.configurations
WHERE project = $project AND component = 'orchestrator' AND id = $orchestration AND deleted_at IS NULL
FOR UPDATE

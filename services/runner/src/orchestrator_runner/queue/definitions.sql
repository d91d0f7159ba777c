-- What claimed jobs run with.

-- name: component_definitions
SELECT id, updated_at, definition_as_written AS definition FROM catalog.components_v1 WHERE id = ANY ($ids::text[])

-- name: stored_parameters
SELECT v.project, v.component, v.configuration, v.version, v.parameters_as_written AS parameters
FROM catalog.configuration_versions_v1 v
JOIN unnest($projects::text[], $components::text[], $configurations::text[], $versions::integer[])
    AS wanted (project, component, configuration, version)
    USING (project, component, configuration, version)

-- name: states
-- A state from before the configuration was created belongs to a purged one that had the same id.
SELECT s.project, s.component, s.configuration, s.state
FROM jobs.configuration_states s
JOIN unnest($projects::text[], $components::text[], $configurations::text[]) AS wanted (project, component, configuration)
    USING (project, component, configuration)
JOIN catalog.configurations_v1 c
    ON (c.project, c.component, c.id) = (s.project, s.component, s.configuration) AND s.updated_at >= c.created_at

-- name: variables
SELECT project, name, value, secret FROM catalog.variables_v1 WHERE project = ANY ($projects::text[])

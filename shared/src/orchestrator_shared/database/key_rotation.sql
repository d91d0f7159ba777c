-- Pages of rows with values that are not under the first key in the newest form, and writes that keep a row that someone
-- else changed meanwhile. Every page has the same columns; `key` names the row, and begins the next page.

-- name: configuration_versions
SELECT ARRAY[project, component, configuration, version::text] AS key, project, component, configuration, version,
       parameters::text AS value, parameters_as_written::text AS written
FROM catalog.configuration_versions
WHERE (project, component, configuration, version)
      > (($after::text[])[1], ($after::text[])[2], ($after::text[])[3], ($after::text[])[4]::integer)
  AND concat(parameters::text, parameters_as_written::text) ~ $outdated
ORDER BY project, component, configuration, version
LIMIT $batch

-- name: renew_configuration_versions
UPDATE catalog.configuration_versions
SET parameters = $value::text::jsonb, parameters_as_written = $written::text::json
WHERE (project, component, configuration, version)
      = (($key::text[])[1], ($key::text[])[2], ($key::text[])[3], ($key::text[])[4]::integer)
  AND parameters::text = $old_value AND parameters_as_written::text IS NOT DISTINCT FROM $old_written

-- name: draft_states
SELECT ARRAY[project, orchestration, owner::text, position::text] AS key, project, 'orchestrator' AS component,
       orchestration AS configuration, NULL::integer AS version, definition::text AS value, NULL AS written
FROM catalog.draft_states
WHERE (project, orchestration, owner, position)
      > (($after::text[])[1], ($after::text[])[2], ($after::text[])[3]::uuid, ($after::text[])[4]::integer)
  AND definition::text ~ $outdated
ORDER BY project, orchestration, owner, position
LIMIT $batch

-- name: renew_draft_states
UPDATE catalog.draft_states SET definition = $value::text::json
WHERE (project, orchestration, owner, position)
      = (($key::text[])[1], ($key::text[])[2], ($key::text[])[3]::uuid, ($key::text[])[4]::integer)
  AND definition::text = $old_value AND $written::text IS NOT DISTINCT FROM $old_written::text

-- name: variables
SELECT ARRAY[project, name] AS key, project, NULL AS component, name AS configuration, NULL::integer AS version,
       to_json(value)::text AS value, NULL AS written
FROM catalog.variables
WHERE (project, name) > (($after::text[])[1], ($after::text[])[2]) AND secret AND '"#": "' || value ~ $outdated
ORDER BY project, name
LIMIT $batch

-- name: renew_variables
UPDATE catalog.variables SET value = $value::text::json #>> '{}'
WHERE (project, name) = (($key::text[])[1], ($key::text[])[2])
  AND secret AND to_json(value)::text = $old_value AND $written::text IS NOT DISTINCT FROM $old_written::text

-- name: run_requests
SELECT ARRAY[job_id::text] AS key, project, component, configuration, version,
       parameters::text AS value, parameters_as_written::text AS written
FROM catalog.run_requests
WHERE job_id > ($after::text[])[1]::uuid AND concat(parameters::text, parameters_as_written::text) ~ $outdated
ORDER BY job_id
LIMIT $batch

-- name: renew_run_requests
UPDATE catalog.run_requests SET parameters = $value::text::jsonb, parameters_as_written = $written::text::json
WHERE job_id = ($key::text[])[1]::uuid
  AND parameters::text = $old_value AND parameters_as_written::text IS NOT DISTINCT FROM $old_written

-- name: jobs
SELECT ARRAY[id::text] AS key, project, component, configuration, coalesce(version, pinned_version) AS version,
       parameters::text AS value, parameters_as_written::text AS written
FROM jobs.jobs
WHERE id > ($after::text[])[1]::uuid AND concat(parameters::text, parameters_as_written::text) ~ $outdated
ORDER BY id
LIMIT $batch

-- name: renew_jobs
UPDATE jobs.jobs SET parameters = $value::text::jsonb, parameters_as_written = $written::text::json
WHERE id = ($key::text[])[1]::uuid
  AND parameters::text = $old_value AND parameters_as_written::text IS NOT DISTINCT FROM $old_written

-- name: tasks
SELECT ARRAY[t.run_id::text, t.task_id] AS key, j.project, t.component, t.configuration, t.version,
       t.request::text AS value, t.request_as_written::text AS written
FROM jobs.tasks t
JOIN jobs.jobs j ON j.id = t.run_id
WHERE (t.run_id, t.task_id) > (($after::text[])[1]::uuid, ($after::text[])[2])
  AND concat(t.request::text, t.request_as_written::text) ~ $outdated
ORDER BY t.run_id, t.task_id
LIMIT $batch

-- name: renew_tasks
UPDATE jobs.tasks SET request = $value::text::jsonb, request_as_written = $written::text::json
WHERE (run_id, task_id) = (($key::text[])[1]::uuid, ($key::text[])[2])
  AND request::text = $old_value AND request_as_written::text IS NOT DISTINCT FROM $old_written

-- name: attempts
SELECT ARRAY[a.job_id::text, a.attempt::text] AS key, j.project, j.component, j.configuration, NULL::integer AS version,
       a.handle::text AS value, NULL AS written
FROM jobs.attempts a
JOIN jobs.jobs j ON j.id = a.job_id
WHERE (a.job_id, a.attempt) > (($after::text[])[1]::uuid, ($after::text[])[2]::integer) AND a.handle::text ~ $outdated
ORDER BY a.job_id, a.attempt
LIMIT $batch

-- name: renew_attempts
UPDATE jobs.attempts SET handle = $value::text::jsonb
WHERE (job_id, attempt) = (($key::text[])[1]::uuid, ($key::text[])[2]::integer)
  AND handle::text = $old_value AND $written::text IS NOT DISTINCT FROM $old_written::text

-- name: configuration_states
SELECT ARRAY[project, component, configuration] AS key, project, component, configuration, NULL::integer AS version,
       state::text AS value, NULL AS written
FROM jobs.configuration_states
WHERE (project, component, configuration) > (($after::text[])[1], ($after::text[])[2], ($after::text[])[3])
  AND state::text ~ $outdated
ORDER BY project, component, configuration
LIMIT $batch

-- name: renew_configuration_states
UPDATE jobs.configuration_states SET state = $value::text::jsonb
WHERE (project, component, configuration) = (($key::text[])[1], ($key::text[])[2], ($key::text[])[3])
  AND state::text = $old_value AND $written::text IS NOT DISTINCT FROM $old_written::text

-- name: definition
-- An orchestration as it was in this version, or else is now.
SELECT v.parameters::text
FROM catalog.configurations c
JOIN catalog.configuration_versions v
  ON (v.project, v.component, v.configuration, v.version)
   = (c.project, c.component, c.id, coalesce($version::integer, c.version))
WHERE (c.project, c.component, c.id) = ($project, 'orchestrator', $orchestration)

-- name: rows_by_mark
-- In each table, how many rows hold values with this form and key.
WITH texts AS (
    SELECT 'catalog.configuration_versions' AS place, ctid AS row, parameters::text AS value FROM catalog.configuration_versions
    UNION ALL SELECT 'catalog.configuration_versions', ctid, parameters_as_written::text FROM catalog.configuration_versions
    UNION ALL SELECT 'catalog.draft_states', ctid, definition::text FROM catalog.draft_states
    UNION ALL SELECT 'catalog.variables', ctid, '"#": "' || value FROM catalog.variables WHERE secret
    UNION ALL SELECT 'catalog.run_requests', ctid, parameters::text FROM catalog.run_requests
    UNION ALL SELECT 'catalog.run_requests', ctid, parameters_as_written::text FROM catalog.run_requests
    UNION ALL SELECT 'jobs.jobs', ctid, parameters::text FROM jobs.jobs
    UNION ALL SELECT 'jobs.jobs', ctid, parameters_as_written::text FROM jobs.jobs
    UNION ALL SELECT 'jobs.tasks', ctid, request::text FROM jobs.tasks
    UNION ALL SELECT 'jobs.tasks', ctid, request_as_written::text FROM jobs.tasks
    UNION ALL SELECT 'jobs.attempts', ctid, handle::text FROM jobs.attempts
    UNION ALL SELECT 'jobs.configuration_states', ctid, state::text FROM jobs.configuration_states
)
SELECT place, found[1] AS mark, count(DISTINCT row) AS rows
FROM texts
CROSS JOIN LATERAL regexp_matches(value, $marks, 'g') AS found
GROUP BY place, mark
ORDER BY place, mark

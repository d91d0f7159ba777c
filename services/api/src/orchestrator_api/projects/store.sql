-- Projects and their variables.

-- name: projects
SELECT id, name, parallel_limit, created_at FROM catalog.projects
WHERE ($only::text IS NULL OR id = $only)
  AND ($member::uuid IS NULL OR id IN (SELECT project FROM catalog.members WHERE person_id = $member))
  AND ($after::text IS NULL OR id > $after)
ORDER BY id
LIMIT $limit

-- name: project
SELECT id, name, parallel_limit, created_at FROM catalog.projects WHERE id = $project

-- name: project_sizes
-- Runs of orchestrations take no slot, and are not counted as running.
SELECT (SELECT count(*) FROM catalog.configurations c
        WHERE c.project = $project AND c.component = 'orchestrator' AND c.deleted_at IS NULL) AS orchestrations,
       (SELECT count(*) FROM jobs.jobs_v1 j
        WHERE j.project = $project AND j.kind = 'component' AND j.exact_status IN ('processing', 'terminating')) AS running

-- name: dotted_project_ids
SELECT id FROM catalog.projects WHERE strpos(id, '.') > 0 ORDER BY id

-- name: insert_project
INSERT INTO catalog.projects (id, name, parallel_limit) VALUES ($project, $name, $parallel_limit)
ON CONFLICT (id) DO NOTHING
RETURNING id, name, parallel_limit, created_at

-- name: update_project
UPDATE catalog.projects SET name = $name, parallel_limit = $parallel_limit WHERE id = $project

-- name: lock_project
SELECT id, name, parallel_limit, created_at FROM catalog.projects WHERE id = $project FOR NO KEY UPDATE

-- name: variables
SELECT name, value, secret, updated_at FROM catalog.variables WHERE project = $project ORDER BY name

-- name: variable
SELECT name, value, secret, updated_at FROM catalog.variables WHERE project = $project AND name = $name

-- name: lock_variable
SELECT name FROM catalog.variables WHERE project = $project AND name = $name FOR UPDATE

-- name: save_variable
INSERT INTO catalog.variables (project, name, value, secret) VALUES ($project, $name, $value, $secret)
ON CONFLICT (project, name) DO UPDATE
SET value = excluded.value, secret = excluded.secret, updated_at = clock_timestamp()

-- name: delete_variable
DELETE FROM catalog.variables WHERE project = $project AND name = $name

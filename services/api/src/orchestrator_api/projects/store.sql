-- Projects and their variables.

-- name: projects
SELECT id, name, parallel_limit, created_at FROM catalog.projects
WHERE ($1::text IS NULL OR id = $1) AND ($2::text IS NULL OR id > $2)
ORDER BY id
LIMIT $3

-- name: project
SELECT id, name, parallel_limit, created_at FROM catalog.projects WHERE id = $1

-- name: projects_with_dots
SELECT id FROM catalog.projects WHERE strpos(id, '.') > 0 ORDER BY id

-- name: insert_project
INSERT INTO catalog.projects (id, name, parallel_limit) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING RETURNING id

-- name: update_project
UPDATE catalog.projects SET name = $2, parallel_limit = $3 WHERE id = $1

-- name: lock_project
SELECT id, name, parallel_limit, created_at FROM catalog.projects WHERE id = $1 FOR NO KEY UPDATE

-- name: variables
SELECT name, value, secret, updated_at FROM catalog.variables WHERE project = $1 ORDER BY name

-- name: variable
SELECT name, value, secret, updated_at FROM catalog.variables WHERE project = $1 AND name = $2

-- name: save_variable
INSERT INTO catalog.variables (project, name, value, secret) VALUES ($1, $2, $3, $4)
ON CONFLICT (project, name) DO UPDATE
SET value = excluded.value, secret = excluded.secret, updated_at = clock_timestamp()

-- name: delete_variable
DELETE FROM catalog.variables WHERE project = $1 AND name = $2

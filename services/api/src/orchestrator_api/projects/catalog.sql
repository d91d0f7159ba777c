-- Projects, components, variables and shares.

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

-- name: components
SELECT id, name, type, executor, after_crash, definition_as_written AS definition, updated_at FROM catalog.components_v1
WHERE $1::text IS NULL OR id > $1
ORDER BY id
LIMIT $2

-- name: component
SELECT id, name, type, executor, after_crash, definition_as_written AS definition, updated_at FROM catalog.components_v1
WHERE id = $1

-- name: save_component
INSERT INTO catalog.components (id, name, type, executor, after_crash, definition, definition_as_written)
VALUES ($1, $2, $3, $4, $5, $6::json::jsonb, $6::json)
ON CONFLICT (id) DO UPDATE
SET name = excluded.name, type = excluded.type, executor = excluded.executor,
    after_crash = excluded.after_crash, definition = excluded.definition,
    definition_as_written = excluded.definition_as_written, updated_at = clock_timestamp()

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

-- name: shares
SELECT shared_with, created_at FROM catalog.shares WHERE project = $1 AND bucket = $2 ORDER BY shared_with

-- name: insert_share
INSERT INTO catalog.shares (project, bucket, shared_with) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING

-- name: delete_share
DELETE FROM catalog.shares WHERE project = $1 AND bucket = $2 AND shared_with = $3

-- name: buckets_shared_with
-- Locked, so that none of them stops being shared before what relies on it is saved, and seen by who unshares it.
SELECT project, bucket FROM catalog.shares WHERE shared_with = $1 ORDER BY project, bucket FOR KEY SHARE

-- name: tables
-- Tables heard of, of the own project and of buckets shared with it.
SELECT t.project, t.name, t.last_seq, t.last_heard_at
FROM triggers.tables_v1 t
WHERE (t.project = $1 OR EXISTS (
        SELECT FROM catalog.shares s
        WHERE s.project = t.project AND s.shared_with = $1
          AND s.bucket = regexp_replace(t.name, '\.[^.]*$', '')))
  AND ($2::text IS NULL OR (t.project, t.name) > ($2, $3))
ORDER BY t.project, t.name
LIMIT $4

-- name: deliveries
SELECT id, fact_key, orchestration, event, job_id, channel, recipient, reason, status, attempts, next_attempt_at,
       message_id, last_error, created_at, sent_at
FROM notifications.deliveries_v1
WHERE project = $1 AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3))
ORDER BY created_at DESC, id DESC
LIMIT $4

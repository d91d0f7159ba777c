-- Known tables and shared buckets.

-- name: shares
SELECT shared_with, created_at FROM catalog.shares WHERE project = $project AND bucket = $bucket ORDER BY shared_with

-- name: all_shares
SELECT bucket, shared_with FROM catalog.shares WHERE project = $project ORDER BY bucket, shared_with

-- name: insert_share
INSERT INTO catalog.shares (project, bucket, shared_with)
VALUES ($project, $bucket, $shared_with) ON CONFLICT DO NOTHING

-- name: delete_share
DELETE FROM catalog.shares WHERE project = $project AND bucket = $bucket AND shared_with = $shared_with

-- name: tables
-- Tables for which updates were heard, of the project itself and of buckets shared with it.
SELECT t.project, t.name, t.last_seq AS updates, t.last_heard_at
FROM triggers.tables_v1 t
WHERE (t.project = $project OR EXISTS (
        SELECT FROM catalog.shares s
        WHERE s.project = t.project AND s.shared_with = $project
          AND s.bucket = regexp_replace(t.name, '\.[^.]*$', '')))
  AND ($after_project::text IS NULL OR (t.project, t.name) > ($after_project, $after_name))
ORDER BY t.project, t.name
LIMIT $limit

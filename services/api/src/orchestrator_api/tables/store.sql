-- Table updates heard of, and shared buckets.

-- name: shares
SELECT shared_with, created_at FROM catalog.shares WHERE project = $1 AND bucket = $2 ORDER BY shared_with

-- name: insert_share
INSERT INTO catalog.shares (project, bucket, shared_with) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING

-- name: delete_share
DELETE FROM catalog.shares WHERE project = $1 AND bucket = $2 AND shared_with = $3

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

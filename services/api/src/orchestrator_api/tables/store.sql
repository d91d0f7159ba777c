-- Known tables and shared buckets.

-- name: shares
-- With which projects, and how many enabled triggers each of them has on the bucket's tables.
SELECT s.shared_with, s.created_at,
       (SELECT count(DISTINCT r.id) FROM catalog.trigger_tables t
        JOIN catalog.triggers r ON r.id = t.trigger_id AND r.deleted_at IS NULL AND r.enabled
        WHERE t.table_project = $project AND r.project = s.shared_with
          AND regexp_replace(t.table_name, '\.[^.]*$', '') = $bucket) AS triggers
FROM catalog.shares s WHERE s.project = $project AND s.bucket = $bucket ORDER BY s.shared_with

-- name: table
-- One table for which updates were heard; of another project only if its bucket is shared.
SELECT t.project, t.name, t.last_seq AS updates, t.last_heard_at FROM triggers.tables_v1 t
WHERE t.project = $owner AND t.name = $table
  AND ($owner = $project
       OR EXISTS (SELECT FROM catalog.shares s
                  WHERE s.project = $owner AND s.bucket = $bucket AND s.shared_with = $project))

-- name: tables_of_bucket
-- The tables of a bucket for which updates were heard; the project's own, or of a bucket shared with it.
SELECT t.project, t.name, t.last_seq AS updates, t.last_heard_at FROM triggers.tables_v1 t
WHERE t.project = $owner AND regexp_replace(t.name, '\.[^.]*$', '') = $bucket
  AND ($owner = $project
       OR EXISTS (SELECT FROM catalog.shares s
                  WHERE s.project = $owner AND s.bucket = $bucket AND s.shared_with = $project))
  AND ($after::text IS NULL OR t.name > $after)
ORDER BY t.name
LIMIT $limit

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
FROM (SELECT own.* FROM triggers.tables_v1 own
      WHERE own.project = $project
      UNION ALL
      SELECT theirs.* FROM catalog.shares s
      JOIN triggers.tables_v1 theirs ON theirs.project = s.project
       AND s.bucket = regexp_replace(theirs.name, '\.[^.]*$', '')
      WHERE s.shared_with = $project) t
WHERE ($after_project::text IS NULL OR (t.project, t.name) > ($after_project, $after_name))
  AND ($search::text IS NULL OR strpos(lower(t.name), lower($search)) > 0)
ORDER BY t.project, t.name
LIMIT $limit

-- name: buckets
-- Buckets of the project that hold a known table or are shared, and those shared with it.
WITH own AS (
    SELECT bucket, count(*) FILTER (WHERE name IS NOT NULL) AS tables, max(last_heard_at) AS last_heard_at
    FROM (SELECT regexp_replace(t.name, '\.[^.]*$', '') AS bucket, t.name, t.last_heard_at
          FROM triggers.tables_v1 t WHERE t.project = $project
          UNION ALL
          SELECT DISTINCT s.bucket, NULL, NULL::timestamptz FROM catalog.shares s WHERE s.project = $project) found
    GROUP BY bucket
)
SELECT * FROM (
    SELECT $project AS project, own.bucket, own.tables, own.last_heard_at, NULL::timestamptz AS shared_at,
           array(SELECT s.shared_with FROM catalog.shares s
                 WHERE s.project = $project AND s.bucket = own.bucket ORDER BY s.shared_with) AS shared_with
    FROM own
    UNION ALL
    SELECT s.project, s.bucket, theirs.tables, theirs.last_heard_at, s.created_at, '{}'
    FROM catalog.shares s
    CROSS JOIN LATERAL (
        SELECT count(*) AS tables, max(t.last_heard_at) AS last_heard_at FROM triggers.tables_v1 t
        WHERE t.project = s.project AND regexp_replace(t.name, '\.[^.]*$', '') = s.bucket) theirs
    WHERE s.shared_with = $project) bucket
WHERE ($after_project::text IS NULL OR (project, bucket) > ($after_project, $after_bucket))
  AND ($search::text IS NULL OR strpos(lower(bucket), lower($search)) > 0)
  AND ($shared::text IS NULL OR CASE $shared WHEN 'with_me' THEN shared_at IS NOT NULL ELSE shared_with <> '{}' END)
ORDER BY project, bucket
LIMIT $limit

-- name: is_shared
SELECT true FROM catalog.shares WHERE project = $owner AND bucket = $bucket AND shared_with = $project

-- name: listeners
SELECT r.project, r.orchestration, r.name AS trigger, r.id AS trigger_id, r.enabled AND c.enabled AS enabled
FROM catalog.trigger_tables t
JOIN catalog.triggers r ON r.id = t.trigger_id AND r.deleted_at IS NULL
JOIN catalog.configurations c
  ON (c.project, c.component, c.id) = (r.project, 'orchestrator', r.orchestration) AND c.deleted_at IS NULL
WHERE t.table_project = $owner AND t.table_name = $table AND r.project = $project
ORDER BY r.orchestration, r.name

-- name: listeners_elsewhere
SELECT r.project, count(*) AS triggers
FROM catalog.trigger_tables t
JOIN catalog.triggers r ON r.id = t.trigger_id AND r.deleted_at IS NULL
JOIN catalog.configurations c
  ON (c.project, c.component, c.id) = (r.project, 'orchestrator', r.orchestration) AND c.deleted_at IS NULL
WHERE t.table_project = $project AND t.table_name = $table AND r.project <> $project
GROUP BY r.project
ORDER BY r.project

-- Drafts of orchestrations' tasks, and the states that undo and redo lead to.

-- name: draft
SELECT d.project, d.orchestration, d.owner, d.base_version, d.revision, d.position, d.kept, d.created_at, d.updated_at,
       s.definition::text AS definition, s.words AS undo, later.words AS redo,
       earlier.position IS NOT NULL AS can_undo
FROM catalog.drafts d
JOIN catalog.draft_states s USING (project, orchestration, owner, position)
LEFT JOIN catalog.draft_states earlier
  ON (earlier.project, earlier.orchestration, earlier.owner, earlier.position)
   = (d.project, d.orchestration, d.owner, d.position - 1)
LEFT JOIN catalog.draft_states later
  ON (later.project, later.orchestration, later.owner, later.position)
   = (d.project, d.orchestration, d.owner, d.position + 1)
WHERE (d.project, d.orchestration, d.owner) = ($project, $orchestration, $owner)

-- name: lock_draft
SELECT revision FROM catalog.drafts
WHERE (project, orchestration, owner) = ($project, $orchestration, $owner)
FOR UPDATE

-- name: drafts_of_owner
SELECT count(*) FROM catalog.drafts WHERE (project, owner) = ($project, $owner)

-- name: insert_draft
INSERT INTO catalog.drafts (project, orchestration, owner, base_version)
VALUES ($project, $orchestration, $owner, $base_version)
ON CONFLICT DO NOTHING

-- name: insert_state
INSERT INTO catalog.draft_states (project, orchestration, owner, position, definition, words, bytes)
VALUES ($project, $orchestration, $owner, $position, $definition::text::json, $words, octet_length($definition::text))

-- name: delete_later_states
DELETE FROM catalog.draft_states
WHERE (project, orchestration, owner) = ($project, $orchestration, $owner) AND position > $position

-- name: delete_oldest_states
-- What is more than a draft may keep; never the newest two.
DELETE FROM catalog.draft_states s
USING (SELECT position, row_number() OVER newest AS place, sum(bytes) OVER newest AS total
       FROM catalog.draft_states
       WHERE (project, orchestration, owner) = ($project, $orchestration, $owner)
       WINDOW newest AS (ORDER BY position DESC)) old
WHERE (s.project, s.orchestration, s.owner, s.position) = ($project, $orchestration, $owner, old.position)
  AND old.place > 2 AND (old.place > $max_states::integer OR old.total > $max_bytes::bigint)

-- name: update_draft
UPDATE catalog.drafts
SET position = $position, base_version = $base_version, kept = $kept::text[], revision = revision + 1,
    updated_at = clock_timestamp()
WHERE (project, orchestration, owner) = ($project, $orchestration, $owner)

-- name: delete_draft
DELETE FROM catalog.drafts WHERE (project, orchestration, owner) = ($project, $orchestration, $owner)

-- name: forget_drafts
-- Drafts that nobody has touched for long.
DELETE FROM catalog.drafts WHERE (project, orchestration, owner) IN (
    SELECT project, orchestration, owner FROM catalog.drafts
    WHERE updated_at < clock_timestamp() - make_interval(days => $days) LIMIT $batch)

-- What requests with a key were answered with.

-- name: lock_answer
SELECT pg_advisory_xact_lock(hashtextextended('keyed answer ' || $key, 0))

-- name: keyed_answer
SELECT request_digest, answer FROM catalog.keyed_answers WHERE project = $project AND id = $id

-- name: insert_keyed_answer
INSERT INTO catalog.keyed_answers (id, project, request_digest, answer)
VALUES ($id, $project, $request_digest, $answer)
ON CONFLICT (id) DO NOTHING

-- name: forget_keyed_answers
DELETE FROM catalog.keyed_answers WHERE id IN (
    SELECT id FROM catalog.keyed_answers
    WHERE created_at < clock_timestamp() - interval '24 hours'
    ORDER BY created_at
    LIMIT $batch)

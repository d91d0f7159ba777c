-- Lanes: whatever changes which job may run locks their rows first, in id order (docs/explanation/lanes.md).

-- name: ensure_lanes
-- Sorted: two concurrent inserts of the same new lanes wait for each other in one order.
INSERT INTO jobs.lanes (project, component, configuration)
SELECT DISTINCT project, component, configuration
FROM unnest($projects::text[], $components::text[], $configurations::text[]) AS wanted (project, component, configuration)
ORDER BY 1, 2, 3
ON CONFLICT DO NOTHING

-- name: find_lanes
SELECT l.id, l.project, l.component, l.configuration
FROM jobs.lanes l
JOIN unnest($projects::text[], $components::text[], $configurations::text[]) AS wanted (project, component, configuration)
    USING (project, component, configuration)

-- name: lock_lanes
-- In id order, so that no two transactions deadlock. Statements after this one see what the previous holder
-- committed.
SELECT id FROM jobs.lanes WHERE id = ANY ($lanes::bigint[]) ORDER BY id FOR NO KEY UPDATE

-- name: take_number
UPDATE jobs.lanes SET next_seq = next_seq + 1 WHERE id = $lane RETURNING next_seq - 1

-- name: promote
-- The caller locked the lanes in an earlier statement, so this one sees everything that was committed under
-- those locks.
WITH next AS (
    SELECT candidate.id
    FROM unnest($lanes::bigint[]) AS lane (id)
    CROSS JOIN LATERAL (
        SELECT j.id FROM jobs.jobs j
        WHERE j.lane_id = lane.id AND j.status = 'waiting' AND (NOT j.delayed OR j.due_at <= clock_timestamp())
        ORDER BY j.seq LIMIT 1
    ) AS candidate
    WHERE NOT EXISTS (
        SELECT 1 FROM jobs.jobs a
        WHERE a.lane_id = lane.id AND a.status IN ('ready', 'processing', 'terminating'))
)
UPDATE jobs.jobs j
SET status = 'ready', ready_at = clock_timestamp(), delayed = false, revision = j.revision + 1
FROM next WHERE j.id = next.id
RETURNING j.id, j.project, j.kind, j.status, j.revision

-- name: lanes_with_due_jobs
-- Read without locks: the caller locks these lanes, and `promote` checks again.
SELECT DISTINCT j.lane_id
FROM jobs.jobs j
WHERE j.status = 'waiting' AND j.delayed AND j.due_at <= clock_timestamp()
    AND NOT EXISTS (
        SELECT 1 FROM jobs.jobs a
        WHERE a.lane_id = j.lane_id AND a.status IN ('ready', 'processing', 'terminating'))
LIMIT 1000

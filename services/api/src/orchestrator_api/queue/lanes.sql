-- Lanes: who holds them, and who is in line.

-- part: held_lanes
-- Two lookups in partial indexes for each lane, and never one in its history.
SELECT l.id, l.component, l.configuration, holder.id AS holder_id, line.waiting
FROM jobs.lanes_v1 l
LEFT JOIN LATERAL (
    SELECT j.id FROM jobs.jobs_v1 j
    WHERE j.lane_id = l.id AND j.exact_status IN ('ready', 'processing', 'terminating')
) AS holder ON true
CROSS JOIN LATERAL (
    SELECT count(*) AS waiting FROM jobs.jobs_v1 w
    WHERE w.lane_id = l.id AND w.exact_status = 'waiting' AND NOT (w.delayed AND w.due_at > clock_timestamp())
) AS line

-- name: busy_lanes
{{part held_lanes}}
WHERE l.project = $project AND (holder.id IS NOT NULL OR line.waiting > 0)
  AND (l.component, l.configuration) > (coalesce($component::text, ''), coalesce($configuration::text, ''))
ORDER BY l.component, l.configuration
LIMIT $limit

-- name: lane
{{part held_lanes}}
WHERE l.project = $project AND l.component = $component AND l.configuration = $configuration

-- name: lanes
{{part held_lanes}}
WHERE l.project = $project AND l.id = ANY ($lanes::bigint[])
ORDER BY l.component, l.configuration

-- name: waiting_in_lines
-- The first $most in line of each lane.
SELECT l.id AS lane_id, member.id AS job_id, member.place
FROM jobs.lanes_v1 l
CROSS JOIN LATERAL (
    SELECT w.id, row_number() OVER (ORDER BY w.number) AS place FROM (
        SELECT j.id, j.number FROM jobs.jobs_v1 j
        WHERE j.lane_id = l.id AND j.exact_status = 'waiting' AND NOT (j.delayed AND j.due_at > clock_timestamp())
        ORDER BY j.number
        LIMIT $most) AS w
) AS member
WHERE l.project = $project AND l.id = ANY ($lanes::bigint[])
ORDER BY l.id, member.place

-- name: stopped_with
-- The job and everything below it that has not ended; as the runner's `unfinished_below`.
WITH RECURSIVE tree AS (
    SELECT j.id FROM jobs.jobs_v1 j WHERE j.id = $job_id AND j.project = $project
    UNION ALL
    SELECT c.id FROM tree t JOIN jobs.jobs_v1 c ON c.parent_id = t.id
)
SELECT j.id, j.lane_id, j.exact_status, j.kind
FROM tree t JOIN jobs.jobs_v1 j ON j.id = t.id
WHERE j.finished_at IS NULL
ORDER BY j.depth, j.phase, j.id

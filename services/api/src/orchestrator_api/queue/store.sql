-- Jobs as they stand in line; derived when they are read.

-- name: references
SELECT j.id, j.number, j.component, j.configuration, j.status, j.origin, j.requested_by, j.task_id, r.id AS run_id,
       r.configuration AS orchestration, r.number AS run_number, j.accepted_at, j.started_at
FROM jobs.jobs_v1 j
LEFT JOIN jobs.jobs_v1 r ON r.id = j.root_id AND r.kind = 'run' AND r.project = $project
WHERE j.project = $project AND j.id = ANY ($ids::uuid[])

-- name: standings
-- The line for a slot counts jobs of this project only: how many others wait is nobody else's business.
SELECT j.id, j.exact_status,
       (SELECT max(a.finished_at) FROM jobs.attempts_v1 a WHERE a.job_id = j.id) AS attempt_ended_at,
       lane.place, lane.length, slot.place AS slot_place, slot.length AS slot_length
FROM jobs.jobs_v1 j
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE w.number <= j.number) AS place, count(*) AS length
    FROM jobs.jobs_v1 w
    WHERE w.lane_id = j.lane_id AND w.exact_status = 'waiting' AND NOT (w.delayed AND w.due_at > clock_timestamp())
) AS lane
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE (r.ready_at, r.id) <= (j.ready_at, j.id)) AS place, count(*) AS length
    FROM jobs.jobs_v1 r
    WHERE r.exact_status = 'ready' AND r.kind = 'component' AND r.project = $project
) AS slot
WHERE j.project = $project AND j.id = ANY ($ids::uuid[])

-- name: slots
-- Of all runners: they serve every project. A runner may have claimed a few jobs more than it has slots.
SELECT count(*) AS runners, coalesce(sum(r.slots), 0) AS total,
       coalesce(sum(least(r.slots, busy.jobs)), 0)::bigint AS in_use
FROM jobs.replicas_v1 r
CROSS JOIN LATERAL (
    SELECT count(*) AS jobs FROM jobs.jobs_v1 j
    WHERE j.replica_id = r.id AND j.exact_status IN ('processing', 'terminating') AND j.kind = 'component'
) AS busy
WHERE r.lease_until > clock_timestamp() AND NOT r.stopping AND r.lost_at IS NULL

-- Measures what waits and runs, for the metrics. Everything is counted up to $most, through the partial indexes of
-- unfinished jobs, so that neither history nor a long queue makes it slow.

-- name: unfinished_jobs
-- Three scans, one for each group of statuses that has indexes of its own.
SELECT kind, status, count(*) AS jobs
FROM (
    (SELECT kind, status FROM jobs.jobs WHERE status = 'waiting' LIMIT $most)
    UNION ALL
    (SELECT kind, status FROM jobs.jobs WHERE status = 'ready' AND kind = 'component' LIMIT $most)
    UNION ALL
    (SELECT kind, status FROM jobs.jobs WHERE status = 'ready' AND kind = 'run' LIMIT $most)
    UNION ALL
    (SELECT kind, status FROM jobs.jobs WHERE status IN ('processing', 'terminating') LIMIT $most)) AS job
GROUP BY kind, status

-- name: oldest_ready
SELECT extract(epoch FROM clock_timestamp() - least(
    (SELECT ready_at FROM jobs.jobs WHERE status = 'ready' AND kind = 'component' ORDER BY ready_at, id LIMIT 1),
    (SELECT ready_at FROM jobs.jobs WHERE status = 'ready' AND kind = 'run' ORDER BY ready_at, id LIMIT 1)))::float8

-- name: held_lanes
SELECT count(*) FROM (
    SELECT FROM jobs.jobs WHERE status IN ('ready', 'processing', 'terminating') LIMIT $most) AS held

-- name: lanes_waited_for
-- Walks from lane to lane through the index, so a lane costs the same however many jobs wait in it. A lane is stuck if
-- its first job has been due for $stuck_seconds although nothing holds the lane: whoever frees a lane promotes the next.
WITH RECURSIVE lane AS (
    (SELECT lane_id, 1 AS n FROM jobs.jobs WHERE status = 'waiting' ORDER BY lane_id LIMIT 1)
    UNION ALL
    SELECT following.lane_id, lane.n + 1
    FROM lane CROSS JOIN LATERAL (
        SELECT j.lane_id FROM jobs.jobs j
        WHERE j.status = 'waiting' AND j.lane_id > lane.lane_id ORDER BY j.lane_id LIMIT 1) AS following
    WHERE lane.n < $most
), first AS (
    SELECT lane.lane_id, extract(epoch FROM clock_timestamp() - due.due_at)::float8 AS seconds
    FROM lane CROSS JOIN LATERAL (
        SELECT j.due_at FROM jobs.jobs j
        WHERE j.lane_id = lane.lane_id AND j.status = 'waiting' AND (NOT j.delayed OR j.due_at <= clock_timestamp())
        ORDER BY j.seq LIMIT 1) AS due
)
SELECT count(*) AS waited_for, coalesce(max(seconds), 0) AS oldest_seconds,
       count(*) FILTER (WHERE seconds > $stuck_seconds AND NOT EXISTS (
           SELECT FROM jobs.jobs a
           WHERE a.lane_id = first.lane_id AND a.status IN ('ready', 'processing', 'terminating'))) AS stuck
FROM first

-- Leases are per replica: one row per heartbeat; only the database's clock counts.

-- name: register
INSERT INTO jobs.replicas (id, name, slots, lease_until)
VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => $4))

-- name: renew
UPDATE jobs.replicas SET lease_until = clock_timestamp() + make_interval(secs => $2)
WHERE id = $1 AND lost_at IS NULL
RETURNING lease_until

-- name: announce_stop
UPDATE jobs.replicas SET stopping = true WHERE id = $1

-- name: leave
UPDATE jobs.replicas SET lost_at = clock_timestamp() WHERE id = $1 AND lost_at IS NULL

-- name: declare_lost
-- Only who holds a lease may judge: a statement that a stalled network delivers late finds that ours ran out too.
UPDATE jobs.replicas SET lost_at = clock_timestamp()
WHERE id IN (
    SELECT id FROM jobs.replicas WHERE lost_at IS NULL AND lease_until < clock_timestamp()
    FOR UPDATE SKIP LOCKED)
    AND EXISTS (
        SELECT 1 FROM jobs.replicas me
        WHERE me.id = $1 AND me.lost_at IS NULL AND me.lease_until >= clock_timestamp())
RETURNING id, name

-- name: jobs_of_lost_replicas
SELECT j.id, j.lane_id, j.parent_id, j.phase, j.epoch, j.attempt, j.free_attempts, j.max_attempts,
       j.attempt_delay_seconds, j.attempt_backoff, j.retry_on, r.name AS replica, coalesce(c.after_crash, 'fail') AS after_crash
FROM jobs.replicas r
JOIN jobs.jobs j ON j.replica_id = r.id AND j.status IN ('processing', 'terminating')
LEFT JOIN catalog.components_v1 c ON c.id = j.component
WHERE r.lost_at IS NOT NULL
    -- Those whose run goes on at another service are adopted.
    AND NOT (coalesce(c.executor = 'http', false)
             AND EXISTS (SELECT 1 FROM jobs.attempts a
                         WHERE (a.job_id, a.attempt) = (j.id, j.attempt) AND a.handle IS NOT NULL))
LIMIT 1000

-- name: forget_replicas
DELETE FROM jobs.replicas WHERE id IN (
    SELECT r.id FROM jobs.replicas r
    WHERE r.lost_at < clock_timestamp() - make_interval(days => $1)
        AND NOT EXISTS (SELECT 1 FROM jobs.jobs j
                        WHERE j.replica_id = r.id AND j.status IN ('processing', 'terminating'))
    LIMIT $2)

-- name: forget_jobs
WITH old AS (
    SELECT o.id, o.finished_at FROM jobs.jobs o
    WHERE o.finished_at < clock_timestamp() - make_interval(days => $1) AND o.parent_id IS NULL
        -- the last success of an orchestration is its next run's previous one
        AND NOT (o.kind = 'run' AND o.status = 'success' AND NOT EXISTS (
            SELECT 1 FROM jobs.jobs n
            WHERE n.lane_id = o.lane_id AND n.kind = 'run' AND n.status = 'success' AND n.scheduled_for > o.scheduled_for))
    ORDER BY o.finished_at LIMIT $2
)
-- Row by row, since a run may have thousands: children before their runs, one run after the other.
DELETE FROM jobs.jobs WHERE id IN (
    SELECT j.id FROM old JOIN jobs.jobs j ON j.root_id = old.id ORDER BY old.finished_at, old.id, j.depth DESC LIMIT 10 * $2)

-- name: forget_logs
-- By the logs' own time: to go by the jobs' would be to pass by all jobs without a log any more, each time.
DELETE FROM jobs.logs WHERE (job_id, attempt, seq) IN (
    SELECT l.job_id, l.attempt, l.seq FROM jobs.logs l JOIN jobs.jobs j ON j.id = l.job_id
    WHERE l.at < clock_timestamp() - make_interval(days => $1)
        AND j.finished_at < clock_timestamp() - make_interval(days => $1)
    LIMIT $2)

-- name: forget_records
DELETE FROM jobs.request_records WHERE job_id IN (
    SELECT job_id FROM jobs.request_records
    WHERE at < clock_timestamp() - make_interval(days => $1) LIMIT $2)

-- name: forget_tombstones
DELETE FROM jobs.tombstones WHERE job_id IN (
    SELECT job_id FROM jobs.tombstones WHERE at < clock_timestamp() - make_interval(days => $1) LIMIT $2)

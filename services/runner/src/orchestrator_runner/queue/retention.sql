-- Deletes old rows in batches.

-- name: forget_replicas
DELETE FROM jobs.replicas WHERE id IN (
    SELECT r.id FROM jobs.replicas r
    WHERE r.lost_at < clock_timestamp() - make_interval(days => $days)
        AND NOT EXISTS (SELECT 1 FROM jobs.jobs j
                        WHERE j.replica_id = r.id AND j.status IN ('processing', 'terminating'))
    LIMIT $batch)

-- name: forget_jobs
WITH old AS (
    SELECT o.id, o.finished_at FROM jobs.jobs o
    WHERE o.finished_at < clock_timestamp() - make_interval(days => $days) AND o.parent_id IS NULL
        -- keep an orchestration's last success: its next run reads its scheduled time as `previous_success`
        AND NOT (o.kind = 'run' AND o.status = 'success' AND NOT EXISTS (
            SELECT 1 FROM jobs.jobs n
            WHERE n.lane_id = o.lane_id AND n.kind = 'run' AND n.status = 'success' AND n.scheduled_for > o.scheduled_for))
    ORDER BY o.finished_at LIMIT $batch
)
-- Counted by row, because one run may have thousands: children before their run, one run after the other.
DELETE FROM jobs.jobs WHERE id IN (
    SELECT j.id FROM old JOIN jobs.jobs j ON j.root_id = old.id ORDER BY old.finished_at, old.id,
           j.depth DESC LIMIT 10 * $batch)

-- name: forget_logs
-- Selects by the time of the logs. Selecting by the jobs' times would pass over every job without logs, each
-- time.
DELETE FROM jobs.logs WHERE (job_id, attempt, seq) IN (
    SELECT l.job_id, l.attempt, l.seq FROM jobs.logs l JOIN jobs.jobs j ON j.id = l.job_id
    WHERE l.at < clock_timestamp() - make_interval(days => $days)
        AND j.finished_at < clock_timestamp() - make_interval(days => $days)
    LIMIT $batch)

-- name: forget_records
DELETE FROM jobs.request_records WHERE job_id IN (
    SELECT job_id FROM jobs.request_records
    WHERE at < clock_timestamp() - make_interval(days => $days) LIMIT $batch)

-- name: forget_tombstones
DELETE FROM jobs.tombstones WHERE job_id IN (
    SELECT job_id FROM jobs.tombstones WHERE at < clock_timestamp() - make_interval(days => $days) LIMIT $batch)

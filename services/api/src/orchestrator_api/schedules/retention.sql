-- name: forget_schedules
-- Deleted ones that no fire and no job names any more.
DELETE FROM catalog.schedules WHERE id IN (
    SELECT s.id FROM catalog.schedules s
    WHERE s.deleted_at < clock_timestamp() - make_interval(days => $days)
      AND NOT EXISTS (SELECT FROM scheduler.fires_v1 f WHERE f.schedule_id = s.id)
      AND NOT EXISTS (SELECT FROM jobs.jobs_v1 j WHERE j.schedule_id = s.id AND j.fire_key IS NOT NULL)
    LIMIT $batch)

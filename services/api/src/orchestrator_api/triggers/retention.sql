-- name: forget_triggers
-- Deleted ones that no job names any more, with their tables.
WITH old AS (
    SELECT t.id FROM catalog.triggers t
    WHERE t.deleted_at < clock_timestamp() - make_interval(days => $days)
      AND NOT EXISTS (SELECT FROM jobs.jobs_v1 j WHERE j.trigger_id = t.id)
    LIMIT $batch FOR UPDATE SKIP LOCKED
), tables AS (
    DELETE FROM catalog.trigger_tables x USING old WHERE x.trigger_id = old.id
), unshared AS (
    DELETE FROM catalog.unshared_tables x USING old WHERE x.trigger_id = old.id
)
DELETE FROM catalog.triggers t USING old WHERE t.id = old.id

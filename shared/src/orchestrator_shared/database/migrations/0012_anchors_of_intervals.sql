-- The api counts the past fires of an interval from where the scheduler counts.
CREATE OR REPLACE VIEW scheduler.next_fires_v1 AS
SELECT schedule_id, project, version, enabled, next_at, next_key, anchor FROM scheduler.next_fires;

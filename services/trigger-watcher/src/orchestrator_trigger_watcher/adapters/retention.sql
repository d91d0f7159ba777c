-- Deletes rows past their retention, one batch per statement.

-- name: forget_updates
WITH old AS (
    SELECT project, source, event_id FROM triggers.updates
    WHERE heard_at < clock_timestamp() - $older_than::interval
    ORDER BY heard_at LIMIT $batch FOR UPDATE SKIP LOCKED
)
DELETE FROM triggers.updates u USING old
WHERE (u.project, u.source, u.event_id) = (old.project, old.source, old.event_id);

-- name: forget_dispositions
WITH old AS (
    SELECT trigger_id, project, table_name, seq FROM triggers.dispositions
    WHERE at < clock_timestamp() - $older_than::interval
    ORDER BY at LIMIT $batch FOR UPDATE SKIP LOCKED
)
DELETE FROM triggers.dispositions d USING old
WHERE (d.trigger_id, d.project, d.table_name, d.seq) = (old.trigger_id, old.project, old.table_name, old.seq);

-- name: forget_fires
WITH old AS (
    SELECT f.trigger_id, f.generation
    FROM triggers.fires f
    WHERE f.at < clock_timestamp() - $older_than::interval
      AND f.generation < (SELECT s.generation FROM triggers.states s WHERE s.trigger_id = f.trigger_id)
    ORDER BY f.at LIMIT $batch FOR UPDATE OF f SKIP LOCKED
)
DELETE FROM triggers.fires f USING old
WHERE (f.trigger_id, f.generation) = (old.trigger_id, old.generation);

-- name: forget_edits
WITH old AS (
    SELECT ctid FROM triggers.edits WHERE at < clock_timestamp() - $older_than::interval
    LIMIT $batch FOR UPDATE SKIP LOCKED
)
DELETE FROM triggers.edits e USING old WHERE e.ctid = old.ctid;

-- name: forget_saved_versions
-- The newest version of a trigger stays: it says since when the trigger is as it is.
WITH old AS (
    SELECT v.number FROM triggers.saved_versions v
    WHERE v.judged AND v.at < clock_timestamp() - $older_than::interval
      AND EXISTS (SELECT FROM triggers.saved_versions newer
                  WHERE newer.trigger_id = v.trigger_id AND newer.number > v.number)
    ORDER BY v.at LIMIT $batch FOR UPDATE SKIP LOCKED
)
DELETE FROM triggers.saved_versions v USING old WHERE v.number = old.number;

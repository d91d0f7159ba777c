-- Deletes rows past their retention, one batch per statement.

-- part: nobody_needs
coalesce(t.last_heard_at, '-infinity') < clock_timestamp() - $tables_older_than::interval
      AND NOT EXISTS (SELECT FROM triggers.counts c WHERE (c.table_project, c.table_name) = (t.project, t.name))
      AND NOT EXISTS (SELECT FROM catalog.trigger_tables_v1 x WHERE (x.table_project, x.table_name) = (t.project, t.name))
      AND NOT EXISTS (SELECT FROM triggers.updates u WHERE (u.project, u.table_name) = (t.project, t.name))

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

-- name: forget_states
-- All that is left of a trigger, once the catalog has forgotten it.
WITH old AS (
    SELECT s.trigger_id FROM triggers.states s
    WHERE s.deleted_at < clock_timestamp() - $older_than::interval
      AND NOT EXISTS (SELECT FROM catalog.triggers_v1 t WHERE t.id = s.trigger_id)
    ORDER BY s.deleted_at LIMIT $batch FOR UPDATE OF s SKIP LOCKED
), counts AS (
    DELETE FROM triggers.counts c USING old WHERE c.trigger_id = old.trigger_id
), fires AS (
    DELETE FROM triggers.fires f USING old WHERE f.trigger_id = old.trigger_id
), versions AS (
    DELETE FROM triggers.saved_versions v USING old WHERE v.trigger_id = old.trigger_id
)
DELETE FROM triggers.states s USING old WHERE s.trigger_id = old.trigger_id;

-- name: forget_tables
-- Of those that the pass before has marked: whoever hears of such a table from now on begins above its numbers.
WITH old AS (
    SELECT t.project, t.name FROM triggers.tables t
    WHERE t.last_seq <= (SELECT last_seq FROM triggers.forgotten) AND {{part nobody_needs}}
    ORDER BY t.last_heard_at NULLS FIRST LIMIT $batch FOR UPDATE OF t SKIP LOCKED
)
DELETE FROM triggers.tables t USING old WHERE (t.project, t.name) = (old.project, old.name);

-- name: mark_tables
-- One row, whatever the size of a batch.
UPDATE triggers.forgotten SET last_seq = newest.last_seq
FROM (SELECT max(t.last_seq) AS last_seq FROM triggers.tables t WHERE {{part nobody_needs}} AND $batch > 0) newest
WHERE newest.last_seq > forgotten.last_seq;

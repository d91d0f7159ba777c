-- Two updates with one id and different tables are two: the second was swallowed. The unique key stays what it was while
-- the version before runs, which needs it, so the second update stands under an id of ours and keeps its own beside it.
ALTER TABLE triggers.updates ADD COLUMN told_id text;
COMMENT ON COLUMN triggers.updates.told_id IS
    'the id as it was told, where another table had it before: event_id is then that id and the table, with U+001F between';

CREATE OR REPLACE VIEW triggers.dispositions_v1 AS
SELECT d.trigger_id, d.project, d.table_name, d.seq, d.disposition, d.at, d.job_id,
       coalesce(u.told_id, u.event_id) AS event_id, u.source, u.deliveries
FROM triggers.dispositions d
LEFT JOIN triggers.updates u ON (u.project, u.table_name, u.seq) = (d.project, d.table_name, d.seq);

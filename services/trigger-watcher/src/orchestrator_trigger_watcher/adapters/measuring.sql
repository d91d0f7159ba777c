-- Measures what triggers wait for, for the metrics.

-- part: counted
-- The first $most enabled triggers with their tables. These are as many as people have made, and no history.
live AS MATERIALIZED (
    SELECT s.trigger_id, s.project, s.orchestration FROM triggers.states s
    WHERE s.enabled AND s.deleted_at IS NULL ORDER BY s.trigger_id LIMIT $most
), by_trigger AS MATERIALIZED (
    SELECT live.trigger_id, live.project, live.orchestration,
           count(*) FILTER (WHERE c.counted > c.used) AS updated, count(*) FILTER (WHERE c.counted <= c.used) AS awaited
    FROM live JOIN triggers.counts c USING (trigger_id)
    GROUP BY 1, 2, 3
    HAVING bool_or(c.counted > c.used)
)

-- name: tables
WITH {{part counted}}
SELECT coalesce(sum(updated), 0)::bigint AS updated, coalesce(sum(awaited), 0)::bigint AS awaited FROM by_trigger

-- name: oldest_data
-- The oldest update of each table that is not used: the first one after the last one used that counted. In mode `ignore`
-- updates within the cool-down did not; where more than 100 of them come first, the newest that counted is taken.
WITH {{part counted}}
SELECT t.project, t.orchestration, t.trigger_id, t.awaited,
       extract(epoch FROM clock_timestamp() - min(coalesce(oldest.at, c.counted_at)))::float8 AS seconds
FROM by_trigger t
JOIN triggers.counts c ON c.trigger_id = t.trigger_id AND c.counted > c.used
LEFT JOIN LATERAL (
    SELECT d.at FROM (
        SELECT x.at, x.disposition FROM triggers.dispositions x
        WHERE x.trigger_id = c.trigger_id AND x.project = c.table_project AND x.table_name = c.table_name
            AND x.seq > c.used
        ORDER BY x.seq LIMIT 100) d
    WHERE d.disposition IN ('counted', 'completed', 'belongs_to_waiting_run')
    LIMIT 1) oldest ON true
GROUP BY 1, 2, 3, 4
HAVING min(coalesce(oldest.at, c.counted_at)) IS NOT NULL
ORDER BY seconds DESC, t.trigger_id LIMIT $shown

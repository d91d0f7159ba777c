-- Measures what triggers wait for, for the metrics.

-- name: waiting
-- Looks at the first $most enabled triggers with their tables: as many as people have made, and no history. Returns at
-- least one row, which has the sums only if no trigger has an unused update.
-- The oldest update of a table that is not used is the first one after the last one used that counted. In mode `ignore`
-- updates within the cool-down did not; where more than 100 of them come first, the newest that counted is taken. It is
-- looked for only for the $candidates triggers that have not started a run for longest: no data is older than that.
WITH live AS MATERIALIZED (
    SELECT s.trigger_id, s.project, s.orchestration, s.last_started_at FROM triggers.states s
    WHERE s.enabled AND s.deleted_at IS NULL ORDER BY s.trigger_id LIMIT $most
), by_trigger AS MATERIALIZED (
    SELECT live.trigger_id, live.project, live.orchestration, live.last_started_at,
           count(*) FILTER (WHERE c.counted > c.used) AS updated, count(*) FILTER (WHERE c.counted <= c.used) AS awaited
    FROM live JOIN triggers.counts c USING (trigger_id)
    GROUP BY 1, 2, 3, 4
    HAVING bool_or(c.counted > c.used)
), oldest AS (
    SELECT t.project, t.orchestration, t.trigger_id, t.awaited,
           extract(epoch FROM clock_timestamp() - min(coalesce(first.at, c.counted_at)))::float8 AS seconds
    FROM (SELECT * FROM by_trigger ORDER BY last_started_at NULLS FIRST, trigger_id LIMIT $candidates) t
    JOIN triggers.counts c ON c.trigger_id = t.trigger_id AND c.counted > c.used
    LEFT JOIN LATERAL (
        SELECT d.at FROM (
            SELECT x.at, x.disposition FROM triggers.dispositions x
            WHERE x.trigger_id = c.trigger_id AND x.project = c.table_project AND x.table_name = c.table_name
                AND x.seq > c.used
            ORDER BY x.seq LIMIT 100) d
        WHERE d.disposition IN ('counted', 'completed', 'belongs_to_waiting_run')
        LIMIT 1) first ON true
    GROUP BY 1, 2, 3, 4
    HAVING min(coalesce(first.at, c.counted_at)) IS NOT NULL
    ORDER BY seconds DESC, t.trigger_id LIMIT $shown
), total AS (
    SELECT coalesce(sum(updated), 0)::bigint AS tables_updated, coalesce(sum(awaited), 0)::bigint AS tables_awaited
    FROM by_trigger
)
SELECT total.tables_updated, total.tables_awaited, oldest.project, oldest.orchestration, oldest.trigger_id, oldest.awaited,
       oldest.seconds
FROM total LEFT JOIN oldest ON true

-- The state of runs and tasks, one statement per batch.

-- name: accept
WITH made AS (
    INSERT INTO runs (id, sizes, body, phase, remaining)
    SELECT id, sizes::integer[], body, 0, (sizes::integer[])[1]
    FROM unnest($1::uuid[], $2::text[], $3::text[]) AS r (id, sizes, body)
    ON CONFLICT DO NOTHING
    RETURNING id, remaining, body
)
INSERT INTO tasks (run, phase, task)
SELECT made.id, 0, task FROM made, generate_series(0, made.remaining - 1) AS task
RETURNING run, phase, task

-- name: apply
WITH heard AS (
    INSERT INTO inbox (message)
    SELECT message FROM unnest($1::uuid[]) AS message ON CONFLICT DO NOTHING RETURNING message
), done AS (
    UPDATE tasks t SET finished_at = clock_timestamp(), executions = t.executions + 1
    FROM heard JOIN unnest($1::uuid[], $2::uuid[], $3::integer[], $4::integer[]) AS r (message, run, phase, task)
        USING (message)
    WHERE (t.run, t.phase, t.task) = (r.run, r.phase, r.task) AND t.finished_at IS NULL
    RETURNING t.run
)
UPDATE runs r SET remaining = r.remaining - n
FROM (SELECT run, count(*) AS n FROM done GROUP BY run) AS done
WHERE r.id = done.run
RETURNING r.id, r.remaining

-- name: advance
WITH gone_on AS (
    UPDATE runs
    SET phase = phase + 1, remaining = coalesce(sizes[phase + 2], 0),
        finished_at = CASE WHEN phase + 1 = cardinality(sizes) THEN clock_timestamp() END
    WHERE id = ANY ($1::uuid[])
    RETURNING id, phase, remaining, finished_at
), made AS (
    INSERT INTO tasks (run, phase, task)
    SELECT g.id, g.phase, task FROM gone_on g, generate_series(0, g.remaining - 1) AS task
    RETURNING run, phase, task
)
SELECT run, phase, task FROM made
UNION ALL
SELECT id, NULL, NULL FROM gone_on WHERE finished_at IS NOT NULL

-- name: underway
SELECT t.run, t.phase, t.task FROM tasks t JOIN runs r ON r.id = t.run
WHERE r.finished_at IS NULL AND t.finished_at IS NULL
UNION ALL
SELECT id, NULL, NULL FROM runs WHERE finished_at > clock_timestamp() - interval '1 hour'

-- name: bodies
SELECT id, body FROM runs WHERE id = ANY ($1::uuid[])

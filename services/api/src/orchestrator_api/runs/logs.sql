-- Logs of jobs. They belong to the runner and are only read.

-- name: log_chunks
-- At most $limit chunks, and none that begins after $max_bytes bytes; `total` counts those within $limit.
SELECT attempt, seq, at, stream, text, total FROM (
    SELECT *, count(*) OVER () AS total,
           sum(octet_length(text)) OVER (ORDER BY attempt, seq) - octet_length(text) AS bytes_before
    FROM (SELECT attempt, seq, at, stream, text FROM jobs.logs_v1
          WHERE job_id = $job_id
            AND EXISTS (SELECT FROM jobs.jobs_v1 o WHERE o.id = $job_id AND o.project = $project)
            AND ($attempt::integer IS NULL OR (attempt, seq) > ($attempt, $seq))
          ORDER BY attempt, seq
          LIMIT $limit) AS page) AS sized
WHERE bytes_before < $max_bytes
ORDER BY attempt, seq

-- name: log_place
-- How many lines the log has, and the last chunk that begins in a line before $line (before the last $count lines, if
-- $line is null). A line also ends where the next chunk is of another attempt or stream. Reads no text, except of
-- chunks that the release before wrote.
WITH piece AS (
    SELECT l.attempt, l.seq, l.line_ends, l.is_open,
           coalesce(lag(l.is_open) OVER log AND (lag(l.attempt) OVER log, lag(l.stream) OVER log)
                    IS DISTINCT FROM (l.attempt, l.stream), false)::integer AS breaks
    FROM jobs.logs_v1 l
    WHERE l.job_id = $job_id AND EXISTS (SELECT FROM jobs.jobs_v1 o WHERE o.id = $job_id AND o.project = $project)
    WINDOW log AS (ORDER BY l.attempt, l.seq)
), numbered AS MATERIALIZED (
    SELECT attempt, seq, line_ends, is_open,
           1 + sum(line_ends + breaks) OVER (ORDER BY attempt, seq) - line_ends AS first_line
    FROM piece
), size AS (
    SELECT coalesce(max(first_line + line_ends - (NOT is_open)::integer), 0) AS lines FROM numbered
)
SELECT size.lines, place.attempt, place.seq, place.first_line
FROM size
LEFT JOIN LATERAL (
    SELECT attempt, seq, first_line FROM numbered
    WHERE first_line < coalesce($line::bigint, size.lines - $count::bigint + 1)
    ORDER BY attempt DESC, seq DESC
    LIMIT 1) AS place ON true

-- Lines of logs have numbers: each piece of a log tells how many lines end in it and whether its last line goes on, so
-- that a line is found without reading the text before it. Both are null in pieces that the release before this one has
-- written, or still writes: the view counts in those.
ALTER TABLE jobs.logs
    ADD COLUMN line_ends integer,
    ADD COLUMN is_open boolean;
COMMENT ON COLUMN jobs.logs.line_ends IS 'how many lines end in the piece';
COMMENT ON COLUMN jobs.logs.is_open IS 'whether the last line of the piece has no end yet';

CREATE OR REPLACE VIEW jobs.logs_v1 AS
SELECT job_id, attempt, seq, stream, at, text,
       coalesce(line_ends, octet_length(text) - octet_length(replace(text, E'\n', ''))) AS line_ends,
       coalesce(is_open, right(text, 1) <> E'\n') AS is_open
FROM jobs.logs;

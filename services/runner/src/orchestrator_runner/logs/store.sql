-- Logs of tasks; the epoch fences every write.

-- name: append_logs
INSERT INTO jobs.logs (job_id, attempt, seq, stream, at, text, line_ends, is_open)
SELECT l.job_id, l.attempt, l.seq, l.stream, l.at, l.text, l.line_ends, l.is_open
FROM unnest($jobs::uuid[], $epochs::integer[], $attempts::integer[], $seqs::integer[], $streams::text[],
            $times::timestamptz[], $texts::text[], $line_ends::integer[], $are_open::boolean[])
    AS l (job_id, epoch, attempt, seq, stream, at, text, line_ends, is_open)
JOIN jobs.jobs j ON j.id = l.job_id AND j.epoch = l.epoch AND j.status IN ('processing', 'terminating')
ON CONFLICT DO NOTHING

-- name: log_lengths
SELECT stream, sum(length(text))::bigint AS characters FROM jobs.logs
WHERE job_id = $job AND attempt = $attempt AND seq >= $since
GROUP BY stream

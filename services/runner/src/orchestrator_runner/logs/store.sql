-- Logs of tasks; the epoch fences every write.

-- name: append_logs
INSERT INTO jobs.logs (job_id, attempt, seq, stream, at, text)
SELECT l.job_id, l.attempt, l.seq, l.stream, l.at, l.text
FROM unnest($jobs::uuid[], $epochs::integer[], $attempts::integer[], $seqs::integer[], $streams::text[],
            $times::timestamptz[], $texts::text[])
    AS l (job_id, epoch, attempt, seq, stream, at, text)
JOIN jobs.jobs j ON j.id = l.job_id AND j.epoch = l.epoch AND j.status IN ('processing', 'terminating')
ON CONFLICT DO NOTHING

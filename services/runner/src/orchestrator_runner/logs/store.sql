-- Logs of tasks; the epoch fences every write.

-- name: append_logs
INSERT INTO jobs.logs (job_id, attempt, seq, stream, at, text)
SELECT l.job_id, l.attempt, l.seq, l.stream, l.at, l.text
FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::integer[], $5::text[], $6::timestamptz[], $7::text[])
    AS l (job_id, epoch, attempt, seq, stream, at, text)
JOIN jobs.jobs j ON j.id = l.job_id AND j.epoch = l.epoch AND j.status IN ('processing', 'terminating')
ON CONFLICT DO NOTHING

-- What was requested or reported, and never arrived. Only of the last day: of what is older, retention may have
-- removed the traces of its arrival. After a restore, that is the day before the backup.

-- name: begin
SELECT greatest(
    (SELECT max(accepted_at) FROM jobs.jobs),
    (SELECT max(finished_at) FROM jobs.jobs),
    (SELECT max(requested_at) FROM catalog.run_requests),
    (SELECT max(at) FROM scheduler.fires),
    (SELECT max(heard_at) FROM triggers.updates)) - interval '1 day'

-- name: runs
-- Attended runs are those that a person asked for; whether they declined the mail is not stored.
SELECT r.job_id, r.project, r.component, r.configuration, r.origin, r.requested_by, r.token_id, r.version, r.scheduled_for,
       r.requested_at, p.email AS notify, p.id IS NOT NULL AS attended,
       r.tasks IS NOT NULL OR r.parameters <> '{}' OR r.retry_of IS NOT NULL AS details
FROM catalog.run_requests r
LEFT JOIN catalog.people p ON lower(p.email) = lower(r.requested_by) AND r.origin IN ('manual', 'retry')
WHERE r.requested_at >= $since
  AND NOT EXISTS (SELECT FROM jobs.jobs j WHERE j.id = r.job_id)
  AND NOT EXISTS (SELECT FROM jobs.request_records x WHERE x.job_id = r.job_id)
ORDER BY r.requested_at, r.scheduled_for, r.job_id

-- name: fires
SELECT f.job_id, f.project, f.orchestration, f.scheduled_for, f.at, f.schedule_id, f.fire_key, s.name, s.overlap
FROM scheduler.fires f JOIN catalog.schedules s ON s.id = f.schedule_id
WHERE f.outcome = 'requested' AND f.at >= $since
  AND NOT EXISTS (SELECT FROM jobs.jobs j WHERE j.id = f.job_id)
  AND NOT EXISTS (SELECT FROM jobs.request_records x WHERE x.job_id = f.job_id)
ORDER BY f.at, f.scheduled_for, f.job_id

-- name: pending_triggers
-- Of any age: a trigger waits for its run for ever.
SELECT f.job_id, s.project, s.orchestration, s.name, f.at, s.trigger_id, f.generation,
       1 + coalesce((SELECT min(c.chain_length) FROM triggers.counts c WHERE c.trigger_id = s.trigger_id), 0) AS chain_length
FROM triggers.states s JOIN triggers.fires f ON f.job_id = s.pending_job_id
WHERE NOT EXISTS (SELECT FROM jobs.jobs j WHERE j.id = f.job_id)
  AND NOT EXISTS (SELECT FROM jobs.request_records x WHERE x.job_id = f.job_id)
ORDER BY f.at, f.job_id

-- name: outputs
SELECT j.id AS job_id, j.project, o.output ->> 'table' AS table_name, (o.output ->> 'rows')::bigint AS row_count, j.chain_length
FROM jobs.jobs j CROSS JOIN LATERAL jsonb_array_elements(j.output_tables) AS o (output)
WHERE j.finished_at >= $since AND j.output_tables <> '[]'
  AND NOT EXISTS (SELECT FROM triggers.updates u
                  WHERE (u.project, u.table_name, u.job_id) = (j.project, o.output ->> 'table', j.id))
ORDER BY j.finished_at, j.id, table_name

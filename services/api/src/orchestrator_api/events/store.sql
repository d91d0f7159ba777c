-- What changed, for open streams. Jobs belong to the runner and are only read.

-- name: instant
SELECT statement_timestamp()

-- name: changed_since
-- Jobs that changed after this instant, by the times that changes leave; each branch has an index. A job that waits
-- between two attempts is found as long as it does.
SELECT project, id, revision FROM jobs.jobs_v1 WHERE project = ANY ($projects::text[]) AND accepted_at > $since
UNION
SELECT project, id, revision FROM jobs.jobs_v1 WHERE finished_at > $since AND project = ANY ($projects)
UNION
SELECT project, id, revision FROM jobs.jobs_v1
WHERE project = ANY ($projects) AND kind = 'component' AND exact_status IN ('processing', 'terminating')
  AND greatest(ready_at, started_at, stop_requested_at) > $since
UNION
SELECT project, id, revision FROM jobs.jobs_v1
WHERE kind = 'component' AND exact_status = 'ready' AND ready_at > $since AND project = ANY ($projects)
UNION
SELECT project, id, revision FROM jobs.jobs_v1
WHERE exact_status = 'waiting' AND delayed AND due_at > $since AND project = ANY ($projects)
UNION
SELECT project, id, revision FROM jobs.jobs_v1
WHERE kind = 'run' AND finished_at IS NULL AND greatest(ready_at, started_at, stop_requested_at) > $since
  AND project = ANY ($projects)
LIMIT $limit

-- name: heard_since
SELECT t.project, t.name AS table_name, NULL::uuid AS trigger_id, NULL AS orchestration
FROM triggers.tables_v1 t
WHERE t.project = ANY ($projects::text[]) AND t.last_heard_at > $since
UNION
SELECT r.project, NULL, r.id, r.orchestration
FROM catalog.triggers r
JOIN catalog.trigger_tables x ON x.trigger_id = r.id
JOIN triggers.tables_v1 t ON (t.project, t.name) = (x.table_project, x.table_name)
WHERE r.project = ANY ($projects) AND r.deleted_at IS NULL AND t.last_heard_at > $since
LIMIT $limit

-- name: job_changes
SELECT statement_timestamp() AS at, j.id, j.revision, j.number, j.project, j.component, j.configuration, j.kind, j.status,
       j.origin, j.requested_by, j.parent_id, j.root_id, j.phase, j.task_id, j.attempt, j.max_attempts, j.scheduled_for,
       j.requested_at, j.accepted_at, j.started_at, j.finished_at, j.version, j.message, j.error_kind, j.trigger_id,
       j.schedule_id, j.retry_of, r.token_id AS started_by
FROM unnest($ids::uuid[]) AS wanted (id)
JOIN jobs.jobs_v1 j ON j.id = wanted.id
LEFT JOIN catalog.run_requests r ON r.job_id = j.root_id AND r.project = j.project
WHERE j.project = ANY ($projects::text[])
ORDER BY greatest(j.accepted_at, j.ready_at, j.started_at, j.finished_at, j.stop_requested_at), j.depth DESC, j.id

-- name: runs_below
WITH RECURSIVE family AS (
    SELECT id FROM jobs.jobs_v1 WHERE id = $job_id AND project = $project
    UNION ALL
    SELECT c.id FROM family f JOIN jobs.jobs_v1 c ON c.parent_id = f.id WHERE c.kind = 'run'
)
SELECT id FROM family

-- name: decided
SELECT job_id, decision FROM jobs.request_records_v1 WHERE job_id = ANY ($ids::uuid[])

-- name: log_news
-- One query for all watched logs: new pieces in turns (the first of each log, then the second), until there are enough
-- bytes; and logs whose job is over. A job's log is complete when its end is committed.
WITH news AS (
    SELECT w.cursor, j.status, j.finished_at IS NOT NULL AS is_over, d.decision,
           piece.attempt, piece.seq, piece.at, piece.stream, piece.text, piece.turn, j.id IS NULL AS is_missing,
           coalesce(sum(octet_length(piece.text)) OVER (ORDER BY piece.turn, w.cursor) - octet_length(piece.text), 0)
               AS bytes_before,
           count(piece.seq) OVER (PARTITION BY w.cursor) AS pieces
    FROM unnest($job_ids::uuid[], $attempts::integer[], $seqs::integer[])
        WITH ORDINALITY AS w (job_id, attempt, seq, cursor)
    LEFT JOIN jobs.jobs_v1 j ON j.id = w.job_id
    LEFT JOIN jobs.request_records_v1 d ON j.id IS NULL AND d.job_id = w.job_id
    LEFT JOIN LATERAL (
        SELECT l.attempt, l.seq, l.at, l.stream, l.text, row_number() OVER (ORDER BY l.attempt, l.seq) AS turn
        FROM jobs.logs_v1 l
        WHERE l.job_id = w.job_id AND (l.attempt, l.seq) > (w.attempt, w.seq)
        ORDER BY l.attempt, l.seq
        LIMIT $limit) AS piece ON true
)
SELECT cursor, coalesce(status, decision) AS status, is_over OR decision IS NOT NULL AS is_over,
       attempt, seq, at, stream, text,
       pieces > count(*) FILTER (WHERE seq IS NOT NULL) OVER (PARTITION BY cursor) OR pieces = $limit AS is_cut
FROM news
WHERE bytes_before < $most_bytes AND (seq IS NOT NULL OR is_over OR is_missing)
ORDER BY cursor, attempt, seq

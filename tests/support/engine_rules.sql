-- What must hold whenever nothing is in the middle of a commit: each query finds what breaks the rule of its name.

-- name: phases_never_overlap
SELECT c.parent_id::text FROM jobs.jobs c JOIN jobs.jobs d ON d.parent_id = c.parent_id AND d.phase > c.phase
WHERE c.finished_at IS NULL
UNION ALL
SELECT t.run_id::text FROM jobs.tasks t JOIN jobs.tasks u ON u.run_id = t.run_id AND u.phase > t.phase
WHERE t.status IN ('pending', 'started') AND u.status NOT IN ('pending', 'skipped', 'not_executed')
UNION ALL
SELECT p.run_id::text FROM jobs.phases p JOIN jobs.phases q ON q.run_id = p.run_id AND q.index > p.index
WHERE q.started_at IS NOT NULL AND p.remaining > 0 OR q.started_at < p.finished_at

-- name: a_run_ends_after_its_children
SELECT r.id::text FROM jobs.jobs r JOIN jobs.jobs c ON c.parent_id = r.id
WHERE r.finished_at IS NOT NULL AND c.finished_at IS NULL

-- name: a_task_has_one_job_at_a_time
SELECT c.parent_id::text FROM jobs.jobs c JOIN jobs.tasks t ON (t.run_id, t.task_id) = (c.parent_id, c.task_id)
WHERE c.id <> t.job_id AND (
    c.kind = 'component' OR c.status <> 'error'
    OR NOT EXISTS (SELECT 1 FROM jobs.jobs n WHERE (n.parent_id, n.retry_of) = (c.parent_id, c.id)))
UNION ALL
SELECT parent_id::text FROM jobs.jobs WHERE kind = 'run' AND parent_id IS NOT NULL
GROUP BY parent_id, task_id HAVING count(*) > max(max_attempts)

-- name: a_phase_counts_its_tasks_that_have_not_finished
SELECT p.run_id::text FROM jobs.phases p
WHERE p.remaining <> (
    SELECT count(*) FROM jobs.tasks t
    WHERE (t.run_id, t.phase) = (p.run_id, p.index) AND t.status IN ('pending', 'started', 'not_executed'))

-- name: a_task_ended_as_its_job_did
SELECT t.run_id::text FROM jobs.tasks t JOIN jobs.jobs j ON j.id = t.job_id
WHERE t.status <> 'started' AND (t.status <> j.status OR j.finished_at IS NULL)

-- name: at_most_one_valid_attempt_per_configuration
SELECT lane_id::text FROM jobs.jobs WHERE status IN ('ready', 'processing', 'terminating')
GROUP BY lane_id HAVING count(*) > 1

-- name: an_attempt_is_open_exactly_while_its_job_is_underway
SELECT coalesce(a.job_id, j.id)::text
FROM (SELECT * FROM jobs.attempts WHERE finished_at IS NULL) a
FULL JOIN (SELECT * FROM jobs.jobs WHERE kind = 'component' AND status IN ('processing', 'terminating')) j
    ON (j.id, j.attempt, j.replica_id) = (a.job_id, a.attempt, a.replica_id)
WHERE a.job_id IS NULL OR j.id IS NULL

-- name: first_come_first_served
-- Another attempt of a nested run has its place at once, and lets others go first until its delay has passed.
SELECT j.id::text FROM jobs.jobs j JOIN jobs.jobs e ON e.lane_id = j.lane_id AND e.seq < j.seq
WHERE j.started_at < e.started_at
    AND NOT (e.parent_id IS NOT NULL AND e.retry_of IS NOT NULL AND j.ready_at < e.due_at)
UNION ALL
SELECT w.id::text FROM jobs.jobs w JOIN jobs.jobs a ON a.lane_id = w.lane_id AND a.seq > w.seq
WHERE w.status = 'waiting' AND NOT w.delayed AND a.status IN ('ready', 'processing', 'terminating')

-- name: a_free_configuration_takes_its_next_job
SELECT w.id::text FROM jobs.jobs w
WHERE w.status = 'waiting' AND NOT w.delayed
    AND NOT EXISTS (SELECT 1 FROM jobs.jobs a
                    WHERE a.lane_id = w.lane_id AND a.status IN ('ready', 'processing', 'terminating'))

-- name: no_attempt_before_it_is_due
SELECT id::text FROM jobs.jobs WHERE status = 'ready' AND due_at > ready_at + interval '1 second'

-- name: attempts_are_counted
SELECT j.id::text FROM jobs.jobs j
WHERE j.kind = 'component' AND (
    j.attempt - j.free_attempts > j.max_attempts
    OR j.status <> 'terminated' AND j.free_attempts <> (
        SELECT count(*) FROM jobs.attempts a WHERE a.job_id = j.id AND a.outcome = 'lost'))

-- name: who_was_asked_to_stop_stopped_and_nobody_else
SELECT id::text FROM jobs.jobs
WHERE (stop_requested_at IS NOT NULL AND finished_at IS NOT NULL OR status IN ('cancelled', 'terminating', 'terminated'))
    AND (stop_requested_at IS NULL OR finished_at IS NOT NULL AND status NOT IN ('cancelled', 'terminated'))

-- name: a_stale_epoch_writes_nothing
SELECT id::text FROM jobs.jobs
WHERE kind = 'component' AND finished_at IS NOT NULL AND message LIKE 'epoch %' AND message <> 'epoch ' || epoch
UNION ALL
SELECT j.id::text FROM jobs.configuration_states s JOIN jobs.jobs j ON j.id = s.job_id
WHERE j.status <> 'success' OR (s.state ->> 'epoch')::integer <> j.epoch
UNION ALL
SELECT a.job_id::text FROM jobs.attempts a JOIN jobs.jobs j ON j.id = a.job_id
WHERE a.attempt = j.attempt AND j.status IN ('success', 'error') AND a.message LIKE 'epoch %' AND a.message <> 'epoch ' || j.epoch

-- name: a_job_runs_the_version_that_its_run_saw
SELECT t.job_id::text FROM jobs.tasks t JOIN jobs.jobs j ON j.id = t.job_id
WHERE j.kind = 'component' AND t.version <> j.version

-- name: a_run_has_the_tasks_of_its_version
SELECT r.id::text
FROM jobs.jobs r
JOIN catalog.configuration_versions v
    ON (v.project, v.component, v.configuration, v.version) = (r.project, r.component, r.configuration, r.version)
WHERE r.kind = 'run' AND r.started_at IS NOT NULL AND (
    SELECT jsonb_agg(task_id ORDER BY task_id) FROM jobs.tasks t WHERE t.run_id = r.id
) IS DISTINCT FROM (
    SELECT jsonb_agg(task -> 'id' ORDER BY task ->> 'id')
    FROM jsonb_path_query(v.parameters, '$.phases[*].tasks[*]') AS task)

-- name: a_retry_keeps_its_link_and_runs_what_was_selected
SELECT j.id::text FROM jobs.jobs j JOIN catalog.run_requests q ON q.job_id = j.id
WHERE j.retry_of IS DISTINCT FROM q.retry_of OR j.selection IS DISTINCT FROM q.tasks
    OR EXISTS (SELECT 1 FROM jobs.tasks t WHERE t.run_id = j.id AND t.active <> (t.task_id = ANY (q.tasks)))

-- name: a_request_becomes_a_job_or_a_record
SELECT j.id::text FROM jobs.jobs j JOIN jobs.request_records m ON m.job_id = j.id

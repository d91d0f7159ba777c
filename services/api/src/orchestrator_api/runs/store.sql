-- Run requests and jobs. A request without a job is shown as a job with status created.

-- name: insert_request
INSERT INTO catalog.run_requests
    (job_id, project, component, configuration, origin, requested_by, token_id, version, tasks, parameters,
     parameters_as_written, scheduled_for, requested_at, retry_of, task_versions, idempotency_id, request_digest)
VALUES ($job_id, $project, $component, $configuration, $origin, $requested_by, $token_id, $version, $tasks,
        $parameters::json::jsonb, $parameters::json, $scheduled_for, $requested_at, $retry_of, $task_versions,
        $idempotency_id, $request_digest)
ON CONFLICT (job_id) DO NOTHING
RETURNING job_id

-- name: lock_key
SELECT pg_advisory_xact_lock(hashtextextended('idempotency key ' || $idempotency_key, 0))

-- name: requests_under_key
SELECT job_id, coalesce(parameters_as_written, parameters::json) AS parameters, request_digest
FROM catalog.run_requests WHERE project = $project AND idempotency_id = $idempotency_id

-- name: updates_under_key
SELECT request_digest, update_ids FROM catalog.keyed_updates
WHERE project = $project AND idempotency_id = $idempotency_id

-- name: insert_keyed_updates
INSERT INTO catalog.keyed_updates (idempotency_id, project, request_digest, update_ids)
VALUES ($idempotency_id, $project, $request_digest, $update_ids)

-- name: forget_keyed_updates
DELETE FROM catalog.keyed_updates WHERE idempotency_id IN (
    SELECT idempotency_id FROM catalog.keyed_updates
    WHERE created_at < clock_timestamp() - interval '24 hours'
    ORDER BY created_at
    LIMIT $batch)

-- name: insert_fires
INSERT INTO catalog.run_requests
    (job_id, project, component, configuration, origin, requested_by, token_id, scheduled_for, requested_at,
     idempotency_id, request_digest)
SELECT fire.job_id, $project, 'orchestrator', $orchestration, $origin, $requested_by, $token_id, fire.scheduled_for,
       $requested_at, $idempotency_id, $request_digest
FROM unnest($job_ids::uuid[], $scheduled_for::timestamptz[]) AS fire (job_id, scheduled_for)
ON CONFLICT (job_id) DO NOTHING
RETURNING job_id

-- name: known_runs
SELECT job_id FROM catalog.run_requests WHERE project = $project AND job_id = ANY ($ids::uuid[])
UNION SELECT id FROM jobs.jobs_v1 WHERE project = $project AND id = ANY ($ids::uuid[])

-- name: jobs
-- The only query that reads whole jobs: each as the runner knows it or, before that, as it was requested. A
-- request older than this without a job belongs to a job that retention has removed.
SELECT wanted.id, j.number, coalesce(j.project, r.project) AS project, coalesce(j.component, r.component) AS component,
       coalesce(j.configuration, r.configuration) AS configuration,
       coalesce(j.kind, CASE r.component WHEN 'orchestrator' THEN 'run' ELSE 'component' END) AS kind,
       coalesce(j.status, 'created') AS status, coalesce(j.origin, r.origin) AS origin,
       coalesce(j.requested_by, r.requested_by) AS requested_by, j.parent_id, coalesce(j.root_id, r.job_id) AS root_id,
       j.phase, j.task_id, coalesce(j.attempt, 0) AS attempt, coalesce(j.max_attempts, 1) AS max_attempts,
       coalesce(j.scheduled_for, r.scheduled_for) AS scheduled_for, j.previous_success,
       coalesce(j.requested_at, r.requested_at) AS requested_at, j.accepted_at, j.due_at, j.ready_at, j.started_at,
       j.finished_at, coalesce(j.version, r.version) AS version, j.message, j.error_kind,
       coalesce(j.output_tables, '[]') AS output_tables, j.trigger_id, j.schedule_id, j.fire_key,
       coalesce(j.retry_of, r.retry_of) AS retry_of,
       coalesce(j.parameters_as_written, r.parameters_as_written, r.parameters::json) AS parameters, j.selection,
       wanted.listed_at
FROM unnest($ids::uuid[], $listed_at::timestamptz[]) WITH ORDINALITY AS wanted (id, listed_at, place)
LEFT JOIN jobs.jobs_v1 j ON j.id = wanted.id AND j.project = $project
LEFT JOIN catalog.run_requests r ON j.id IS NULL AND r.job_id = wanted.id AND r.project = $project
    AND r.requested_at > clock_timestamp() - interval '7 days'
WHERE j.id IS NOT NULL OR r.job_id IS NOT NULL
ORDER BY wanted.place

-- part: place
-- Behind which the path is walked.
(coalesce($before::timestamptz, 'infinity'), coalesce($before_id::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))

-- part: walked
j.accepted_at < coalesce($until::timestamptz, 'infinity') AND (j.accepted_at, j.id) < {{part place}}

-- part: listed_place
-- Behind which a page begins in an order that no path has.
(coalesce($sorted_before::timestamptz, 'infinity'),
 coalesce($sorted_before_id::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))

-- part: listed_at
-- The place in the list: a time, and for durations the time that is as long after 1970.
CASE $order::text
    WHEN 'finished_at' THEN finished_at
    WHEN 'duration' THEN to_timestamp(extract(epoch FROM coalesce(finished_at, statement_timestamp()) - started_at))
    ELSE accepted_at END AS listed_at

-- part: listed_columns
j.id, j.accepted_at, j.number, j.component, j.configuration, j.task_id, j.status, j.origin,
j.requested_by, j.parent_id, j.root_id, j.message, j.started_at, j.finished_at

-- name: listed_jobs
-- Looks at the next $scan jobs of one path, each with an index, and returns those that match. The place of the last
-- one that it looked at comes, too (is_match is false), if there may be more. Requests without a job are few and new.
-- In an order that the path does not have, the newest $scan jobs of the path are sorted, and there are no more.
WITH known AS MATERIALIZED (
    (SELECT {{part listed_columns}}
     FROM jobs.jobs_v1 j
     WHERE $path::text = 'project' AND j.project = $project
       AND j.accepted_at >= coalesce($since::timestamptz, '-infinity') AND {{part walked}}
     ORDER BY j.accepted_at DESC, j.id DESC
     LIMIT $scan)
    UNION ALL
    (SELECT {{part listed_columns}}
     FROM jobs.jobs_v1 j
     WHERE $path = 'troubled' AND j.project = $project
       AND j.exact_status IN ('warning', 'error', 'cancelled', 'terminated')
       AND j.accepted_at >= coalesce($since, '-infinity') AND {{part walked}}
     ORDER BY j.accepted_at DESC, j.id DESC
     LIMIT $scan)
    UNION ALL
    (SELECT {{part listed_columns}}
     FROM jobs.lanes_v1 l
     CROSS JOIN LATERAL (
         SELECT a.* FROM jobs.jobs_v1 a
         WHERE a.lane_id = l.id AND a.exact_status IN ('ready', 'processing', 'terminating')
         UNION ALL
         SELECT w.* FROM jobs.jobs_v1 w WHERE w.lane_id = l.id AND w.exact_status = 'waiting') AS j
     WHERE $path = 'unfinished' AND l.project = $project
       AND j.accepted_at >= coalesce($since, '-infinity') AND {{part walked}}
     ORDER BY j.accepted_at DESC, j.id DESC
     LIMIT $scan)
    UNION ALL
    (SELECT {{part listed_columns}}
     FROM jobs.jobs_v1 j
     WHERE $path = 'finished' AND j.project = $project AND j.finished_at IS NOT NULL
       AND j.finished_at AT TIME ZONE 'UTC' >= coalesce($since, '-infinity') AT TIME ZONE 'UTC'
       AND (j.finished_at AT TIME ZONE 'UTC', j.id)
           < (coalesce($before, 'infinity') AT TIME ZONE 'UTC',
              coalesce($before_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
     ORDER BY j.finished_at AT TIME ZONE 'UTC' DESC, j.id DESC
     LIMIT $scan)
    UNION ALL
    -- In a lane, numbers are in the order of acceptance.
    (SELECT {{part listed_columns}}
     FROM jobs.jobs_v1 j
     WHERE $path = 'lane'
       AND j.lane_id = (SELECT l.id FROM jobs.lanes_v1 l
                        WHERE (l.project, l.component, l.configuration) = ($project, $component, $configuration))
       AND j.number < coalesce((SELECT b.number FROM jobs.jobs_v1 b
                                WHERE b.id = $before_id AND (b.project, b.component, b.configuration)
                                    = ($project, $component, $configuration)), 9223372036854775807)
       AND {{part walked}}
     ORDER BY j.number DESC
     LIMIT $scan)
    UNION ALL
    (SELECT {{part listed_columns}}
     FROM jobs.lanes_v1 l JOIN jobs.jobs_v1 j ON j.lane_id = l.id
     WHERE $path = 'configuration' AND (l.project, l.configuration) = ($project, $configuration)
       AND {{part walked}}
     ORDER BY j.accepted_at DESC, j.id DESC
     LIMIT $scan)
    UNION ALL
    (SELECT {{part listed_columns}}
     FROM jobs.jobs_v1 j
     WHERE $path = 'parent' AND j.parent_id = $parent::uuid AND j.project = $project
       AND {{part walked}}
     ORDER BY j.accepted_at DESC, j.id DESC
     LIMIT $scan)
    UNION ALL
    (SELECT {{part listed_columns}}
     FROM jobs.jobs_v1 j
     WHERE $path = 'root' AND j.root_id = $root::uuid AND j.project = $project
       AND {{part walked}}
     ORDER BY j.accepted_at DESC, j.id DESC
     LIMIT $scan)
    UNION ALL
    (SELECT {{part listed_columns}}
     FROM jobs.jobs_v1 j
     WHERE $path = 'id' AND j.id = $job_id::uuid AND j.project = $project)
), edge AS (
    SELECT {{part listed_at}}, id FROM known
    WHERE $path <> 'id' AND $in_path_order::boolean AND (SELECT count(*) FROM known) >= $scan
    ORDER BY listed_at, id
    LIMIT 1
), created AS (
    SELECT r.job_id AS id, r.requested_at AS accepted_at, NULL::bigint AS number, r.component, r.configuration,
           NULL::text AS task_id, 'created' AS status, r.origin, r.requested_by, NULL::uuid AS parent_id,
           r.job_id AS root_id, NULL::text AS message, NULL::timestamptz AS started_at, NULL::timestamptz AS finished_at
    FROM (SELECT * FROM catalog.run_requests q
          WHERE $order = 'accepted_at' AND q.project = $project AND q.requested_at > clock_timestamp() - interval '7 days'
            AND (q.requested_at, q.job_id) < {{part place}}
            AND (q.requested_at, q.job_id) >= (coalesce((SELECT listed_at FROM edge), '-infinity'),
                                               coalesce((SELECT id FROM edge), '00000000-0000-0000-0000-000000000000'))
          ORDER BY q.requested_at DESC, q.job_id DESC
          LIMIT $scan + 200) r
    WHERE $parent IS NULL AND ($job_id IS NULL OR r.job_id = $job_id) AND ($root IS NULL OR r.job_id = $root)
      AND ($statuses::text[] IS NULL OR 'created' = ANY ($statuses)) AND $longer_than_seconds::float8 IS NULL
      AND $shorter_than_seconds::float8 IS NULL
      AND NOT EXISTS (SELECT FROM jobs.jobs_v1 j WHERE j.id = r.job_id)
)
(SELECT id, listed_at, true AS is_match
 FROM (SELECT *, {{part listed_at}} FROM (SELECT * FROM known UNION ALL SELECT * FROM created) found) job
 WHERE (job.listed_at, job.id) < {{part listed_place}}
   AND ($statuses IS NULL OR job.status = ANY ($statuses))
   AND ($origins::text[] IS NULL OR job.origin = ANY ($origins))
   AND ($component::text IS NULL OR job.component = $component)
   AND ($configuration::text IS NULL OR job.configuration = $configuration)
   AND ($parent IS NULL OR job.parent_id = $parent) AND ($root IS NULL OR job.root_id = $root)
   AND ($job_id IS NULL OR job.id = $job_id)
   AND job.accepted_at >= coalesce($since, '-infinity') AND job.accepted_at < coalesce($until, 'infinity')
   AND ($longer_than_seconds IS NULL
        OR coalesce(job.finished_at, clock_timestamp()) - job.started_at > make_interval(secs => $longer_than_seconds))
   AND ($shorter_than_seconds IS NULL
        OR coalesce(job.finished_at, clock_timestamp()) - job.started_at < make_interval(secs => $shorter_than_seconds))
   AND ($started_since::timestamptz IS NULL OR job.started_at >= $started_since)
   AND ($started_until::timestamptz IS NULL OR job.started_at < $started_until)
   AND ($requested_by::text IS NULL OR strpos(lower(job.requested_by), lower($requested_by)) > 0)
   AND ($search::text IS NULL OR job.number::text = $search OR strpos(lower(concat_ws(
        ' ', job.component, job.configuration, job.task_id, job.requested_by, CASE WHEN $searches_messages THEN job.message END)), lower($search)) > 0)
 ORDER BY listed_at DESC, id DESC
 LIMIT $limit)
UNION ALL
SELECT id, listed_at, false FROM edge

-- name: listed_own_runs
-- The runs that a token started; jobs below them are read by their root or parent. As `listed_jobs`.
WITH known AS MATERIALIZED (
    SELECT r.job_id AS id, r.requested_at AS accepted_at, j.number, r.component, r.configuration,
           coalesce(j.status, 'created') AS status, r.origin, r.requested_by, j.started_at, j.finished_at,
           j.id IS NOT NULL OR r.requested_at > clock_timestamp() - interval '7 days' AS is_kept
    FROM catalog.run_requests r
    LEFT JOIN jobs.jobs_v1 j ON j.id = r.job_id
    WHERE r.token_id = $token_id AND r.project = $project
      AND r.requested_at >= coalesce($since::timestamptz, '-infinity')
      AND r.requested_at < coalesce($until::timestamptz, 'infinity')
      AND (r.requested_at, r.job_id) < {{part place}}
    ORDER BY r.requested_at DESC, r.job_id DESC
    LIMIT $scan
)
(SELECT id, listed_at, true AS is_match
 FROM (SELECT *, {{part listed_at}} FROM known) run
 WHERE is_kept AND (listed_at, id) < {{part listed_place}}
   AND ($statuses::text[] IS NULL OR status = ANY ($statuses))
   AND ($origins::text[] IS NULL OR origin = ANY ($origins))
   AND ($component::text IS NULL OR component = $component)
   AND ($configuration::text IS NULL OR configuration = $configuration)
   AND ($job_id::uuid IS NULL OR id = $job_id)
   AND ($longer_than_seconds::float8 IS NULL
        OR coalesce(finished_at, clock_timestamp()) - started_at > make_interval(secs => $longer_than_seconds))
   AND ($shorter_than_seconds::float8 IS NULL
        OR coalesce(finished_at, clock_timestamp()) - started_at < make_interval(secs => $shorter_than_seconds))
   AND ($started_since::timestamptz IS NULL OR started_at >= $started_since)
   AND ($started_until::timestamptz IS NULL OR started_at < $started_until)
   AND ($requested_by::text IS NULL OR strpos(lower(requested_by), lower($requested_by)) > 0)
   AND ($search::text IS NULL OR number::text = $search
        OR strpos(lower(concat_ws(' ', component, configuration, requested_by)), lower($search)) > 0)
 ORDER BY listed_at DESC, id DESC
 LIMIT $limit)
UNION ALL
(SELECT id, accepted_at, false FROM known
 WHERE $in_path_order::boolean AND (SELECT count(*) FROM known) >= $scan
 ORDER BY accepted_at, id
 LIMIT 1)

-- name: is_own_run
SELECT true FROM catalog.run_requests WHERE job_id = $job_id AND project = $project AND token_id = $token_id

-- name: root_of_job
SELECT root_id FROM jobs.jobs_v1 WHERE project = $project AND id = $job_id

-- name: run_by_number
SELECT j.id FROM jobs.lanes_v1 l JOIN jobs.jobs_v1 j ON j.lane_id = l.id
WHERE (l.project, l.component, l.configuration) = ($project, 'orchestrator', $orchestration) AND j.number = $number

-- name: task_components
SELECT task_id, component FROM jobs.tasks_v1
WHERE run_id = $run AND EXISTS (SELECT FROM jobs.jobs_v1 o WHERE o.id = $run AND o.project = $project)

-- name: components_of_run
-- Components of all tasks of a run and its nested runs, or of the job itself.
WITH RECURSIVE family AS (
    SELECT j.id, j.component FROM jobs.jobs_v1 j WHERE j.id = $run AND j.project = $project
    UNION ALL
    SELECT c.id, c.component FROM family f JOIN jobs.jobs_v1 c ON c.parent_id = f.id WHERE c.kind = 'run'
)
SELECT component FROM family
UNION SELECT t.component FROM family f JOIN jobs.tasks_v1 t ON t.run_id = f.id
ORDER BY component

-- name: waiting_facts
-- The facts about each of these waiting jobs; waiting.py turns them into a reason. Lanes and projects are read once,
-- however many of their jobs wait. A job between two attempts blocks no other job.
WITH waiting AS MATERIALIZED (
    SELECT * FROM jobs.jobs_v1 WHERE project = $project AND id = ANY ($ids::uuid[]) AND status = 'waiting'
), line AS MATERIALIZED (
    SELECT w.id, w.lane_id, w.number, w.status, w.blocks,
           count(*) FILTER (WHERE w.blocks AND w.status = 'waiting') OVER (
               PARTITION BY w.lane_id ORDER BY w.number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ahead
    FROM (SELECT DISTINCT lane_id FROM waiting) AS lane
    CROSS JOIN LATERAL (
        SELECT j.id, j.lane_id, j.number, j.status, NOT (j.delayed AND j.due_at > clock_timestamp()) AS blocks
        FROM jobs.jobs_v1 j WHERE j.lane_id = lane.lane_id AND j.exact_status = 'waiting'
        UNION ALL
        SELECT j.id, j.lane_id, j.number, j.status, true
        FROM jobs.jobs_v1 j
        WHERE j.lane_id = lane.lane_id AND j.exact_status IN ('ready', 'processing', 'terminating')) AS w
), head AS (
    SELECT DISTINCT ON (lane_id) id, lane_id, number, status FROM line
    WHERE blocks ORDER BY lane_id, status = 'waiting', number
), project AS MATERIALIZED (
    SELECT p.id, p.parallel_limit,
           CASE WHEN p.parallel_limit IS NULL THEN 0 ELSE
               (SELECT count(*) FROM jobs.jobs_v1 u
                WHERE u.project = p.id AND u.kind = 'component' AND u.exact_status IN ('processing', 'terminating'))
           END AS underway
    FROM catalog.projects p WHERE p.id IN (SELECT project FROM waiting)
)
SELECT j.id, j.delayed AND j.due_at > clock_timestamp() AS is_delayed, j.due_at, j.kind,
       holder.id AS holder_id, holder.number AS holder_number, holder.status AS holder_status,
       coalesce(line.ahead, 0) AS ahead, project.parallel_limit, project.underway,
       EXISTS (SELECT FROM jobs.replicas_v1 r
               WHERE r.lease_until > clock_timestamp() AND NOT r.stopping AND r.lost_at IS NULL) AS runner_is_connected
FROM waiting j
JOIN project ON project.id = j.project
JOIN line ON line.id = j.id
LEFT JOIN head AS holder
  ON holder.lane_id = j.lane_id AND holder.id <> j.id AND (holder.status <> 'waiting' OR holder.number < j.number)

-- name: phases
SELECT index, name, started_at, finished_at FROM jobs.phases_v1
WHERE run_id = $run AND EXISTS (SELECT FROM jobs.jobs_v1 o WHERE o.id = $run AND o.project = $project)
ORDER BY index

-- name: tasks
SELECT t.phase, t.task_id, t.name, t.component, t.configuration, t.status, t.continue_on_failure,
       j.id AS job_id, j.status AS job_status, j.number AS job_number, j.started_at, j.finished_at, j.attempt, j.message,
       j.error_kind,
       array(SELECT DISTINCT output ->> 'table' FROM jsonb_path_query(j.output_tables, '$[*]') AS output
             WHERE output ->> 'table' IS NOT NULL ORDER BY 1) AS tables_written
FROM jobs.tasks_v1 t
LEFT JOIN jobs.jobs_v1 j ON j.id = t.job_id
WHERE t.run_id = $run AND EXISTS (SELECT FROM jobs.jobs_v1 o WHERE o.id = $run AND o.project = $project)
ORDER BY t.phase, t.position

-- name: task_ends
SELECT task_id, status FROM jobs.tasks_v1
WHERE run_id = $run AND EXISTS (SELECT FROM jobs.jobs_v1 o WHERE o.id = $run AND o.project = $project)
ORDER BY phase, position

-- name: task_versions
-- Which version each task of a run and its nested runs had; for an orchestration that ran twice, the last
-- one.
WITH RECURSIVE family AS (
    SELECT j.id, j.configuration FROM jobs.jobs_v1 j WHERE j.id = $run AND j.project = $project
    UNION ALL
    SELECT c.id, c.configuration FROM family f JOIN jobs.jobs_v1 c ON c.parent_id = f.id WHERE c.kind = 'run'
)
SELECT DISTINCT ON (f.configuration, t.task_id) f.configuration AS orchestration, t.task_id,
       coalesce(j.version, (t.request ->> 'version')::integer, t.version) AS version
FROM family f JOIN jobs.tasks_v1 t ON t.run_id = f.id LEFT JOIN jobs.jobs_v1 j ON j.id = t.job_id
ORDER BY f.configuration, t.task_id, f.id DESC

-- name: retries
-- Requests come first, so that a retry is shown at once. An accepted retry is in both.
SELECT r.job_id AS id, j.number, coalesce(j.status, 'created') AS status, r.requested_at
FROM catalog.run_requests r
LEFT JOIN jobs.jobs_v1 j ON j.id = r.job_id
WHERE r.project = $project AND r.retry_of = $job_id
ORDER BY r.requested_at, r.job_id

-- name: has_unfinished_jobs
-- Three lookups in partial indexes: a lane may have a million finished jobs.
SELECT EXISTS (
    SELECT FROM jobs.lanes_v1 l JOIN jobs.jobs_v1 j ON j.lane_id = l.id
    WHERE (l.project, l.component, l.configuration) = ($project, $component, $configuration)
      AND j.exact_status IN ('ready', 'processing', 'terminating')
) OR EXISTS (
    SELECT FROM jobs.lanes_v1 l JOIN jobs.jobs_v1 j ON j.lane_id = l.id
    WHERE (l.project, l.component, l.configuration) = ($project, $component, $configuration)
      AND j.exact_status = 'waiting'
) OR EXISTS (
    SELECT FROM catalog.run_requests r
    WHERE (r.project, r.component, r.configuration) = ($project, $component, $configuration)
      AND r.requested_at > clock_timestamp() - interval '7 days'
      AND NOT EXISTS (SELECT FROM jobs.jobs_v1 j WHERE j.id = r.job_id)
)

-- name: has_finished_run
-- Among the last 200: where all of these were cancelled, nobody has seen it work lately.
SELECT EXISTS (
    SELECT FROM jobs.lanes_v1 l
    CROSS JOIN LATERAL (
        SELECT j.started_at, j.finished_at FROM jobs.jobs_v1 j
        WHERE j.lane_id = l.id
        ORDER BY j.number DESC
        LIMIT 200) recent
    WHERE (l.project, l.component, l.configuration) = ($project, 'orchestrator', $orchestration)
      AND recent.started_at IS NOT NULL AND recent.finished_at IS NOT NULL
)

-- name: last_runs
-- The newest $count runs of each, newest first.
SELECT last.*
FROM jobs.lanes_v1 l
CROSS JOIN LATERAL (
    SELECT configuration, id, number, status, origin, accepted_at, started_at, finished_at
    FROM jobs.jobs_v1 j WHERE j.lane_id = l.id
    ORDER BY number DESC
    LIMIT $count) AS last
WHERE l.project = $project AND l.component = 'orchestrator' AND l.configuration = ANY ($orchestrations::text[])

-- name: run_counts
-- Of the newest $most runs.
SELECT count(*) AS total,
       count(*) FILTER (WHERE newest.status IN ('success', 'warning')) AS successful,
       count(*) FILTER (WHERE newest.status IN ('error', 'terminated', 'cancelled')) AS failed
FROM jobs.lanes_v1 l
CROSS JOIN LATERAL (
    SELECT j.status FROM jobs.jobs_v1 j WHERE j.lane_id = l.id
    ORDER BY j.number DESC
    LIMIT $most) AS newest
WHERE l.project = $project AND l.component = 'orchestrator' AND l.configuration = $orchestration

-- name: last_jobs
-- The newest job of each of these configurations.
SELECT last.*
FROM unnest($components::text[], $configurations::text[]) AS wanted (component, configuration)
JOIN jobs.lanes_v1 l ON (l.project, l.component, l.configuration) = ($project, wanted.component, wanted.configuration)
CROSS JOIN LATERAL (
    SELECT component, configuration, id, status, accepted_at, started_at, finished_at
    FROM jobs.jobs_v1 j WHERE j.lane_id = l.id
    ORDER BY number DESC
    LIMIT 1) AS last

-- name: attempts
SELECT attempt, started_at, finished_at, outcome, message, due_at, ready_at
FROM jobs.attempts_v1
WHERE job_id = $job_id AND EXISTS (SELECT FROM jobs.jobs_v1 o WHERE o.id = $job_id AND o.project = $project)
ORDER BY attempt

-- name: overlaps
SELECT r.job_id, r.at, r.decision, r.into_job_id, j.number AS into_number, j.status AS into_status, r.project,
       r.configuration, r.schedule_id, s.name AS schedule, r.fire_key, r.scheduled_for
FROM jobs.request_records_v1 r
LEFT JOIN jobs.jobs_v1 j ON j.id = r.into_job_id
LEFT JOIN catalog.schedules s ON s.id = r.schedule_id
WHERE r.project = $project AND r.configuration = $orchestration AND ($before::timestamptz IS NULL OR (r.at, r.job_id) < ($before, $before_id))
ORDER BY r.at DESC, r.job_id DESC
LIMIT $limit

-- name: overlap
SELECT r.job_id, r.at, r.decision, r.into_job_id, j.number AS into_number, j.status AS into_status, r.project,
       r.configuration, r.schedule_id, s.name AS schedule, r.fire_key, r.scheduled_for
FROM jobs.request_records_v1 r
LEFT JOIN jobs.jobs_v1 j ON j.id = r.into_job_id
LEFT JOIN catalog.schedules s ON s.id = r.schedule_id
WHERE r.project = $project AND r.job_id = $job_id

-- name: forget_run_requests
-- Requests whose jobs retention has removed, oldest first.
DELETE FROM catalog.run_requests r
WHERE r.job_id IN (
    SELECT o.job_id FROM catalog.run_requests o
    WHERE o.requested_at < clock_timestamp() - interval '7 days'
      AND NOT EXISTS (SELECT FROM jobs.jobs_v1 j WHERE j.id = o.job_id)
    ORDER BY o.requested_at
    LIMIT $batch)

-- The audit log: records are added and forgotten, never changed.

-- name: insert
INSERT INTO catalog.audit (
    id, project, actor, actor_kind, actor_id, action, subject, subject_kind, subject_id, detail, changes, omitted_changes,
    address, request_id)
VALUES ($id, $project, $actor, $actor_kind, $actor_id, $action, $subject, $subject_kind, $subject_id, $detail, $changes,
        $omitted_changes, $address, $request_id)

-- name: plan_for_these_values
-- Each filter has an index; which of them is right depends on what is asked for, so no plan fits every call.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true)

-- name: records
SELECT id, at, actor, actor_kind, actor_id, action, subject, subject_kind, subject_id, detail,
       coalesce(changes, '[]') AS changes, coalesce(omitted_changes, 0) AS omitted_changes, address, request_id
FROM catalog.audit
WHERE project = $project
  AND ($actor::text IS NULL OR actor = $actor)
  AND ($action::text IS NULL OR action = $action)
  AND ($subject::text IS NULL OR subject = $subject)
  AND ($request_id::text IS NULL OR request_id = $request_id)
  AND at >= $since AND (at, id) < ($before, $before_id)
ORDER BY at DESC, id DESC
LIMIT $limit

-- name: instance_records
SELECT id, at, actor, actor_kind, actor_id, action, subject, subject_kind, subject_id, detail,
       coalesce(changes, '[]') AS changes, coalesce(omitted_changes, 0) AS omitted_changes, address, request_id
FROM catalog.audit
WHERE project IS NULL
  AND ($actor::text IS NULL OR actor = $actor)
  AND ($action::text IS NULL OR action = $action)
  AND ($subject::text IS NULL OR subject = $subject)
  AND ($request_id::text IS NULL OR request_id = $request_id)
  AND at >= $since AND (at, id) < ($before, $before_id)
ORDER BY at DESC, id DESC
LIMIT $limit

-- name: last_change
SELECT actor, at, action, subject FROM catalog.audit
WHERE project = $project AND subject = ANY ($subjects::text[]) AND action = ANY ($actions::text[])
ORDER BY at DESC, id DESC
LIMIT 1

-- name: last_change_of_instance
SELECT actor, at, action, subject FROM catalog.audit
WHERE project IS NULL AND subject = ANY ($subjects::text[]) AND action = ANY ($actions::text[])
ORDER BY at DESC, id DESC
LIMIT 1

-- name: forget_audit
SELECT catalog.forget_audit($days::integer, $batch::integer)

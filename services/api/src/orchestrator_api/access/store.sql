-- Tokens and users.

-- name: bearer
SELECT t.id, t.kind, t.name, t.project, t.current_scopes AS scopes, t.components, t.current_buckets AS buckets,
       t.expires_at, t.revoked_at, t.person_id, p.email,
       coalesce(p.is_administrator, false) AS is_administrator, p.disabled_at IS NOT NULL AS is_disabled,
       t.last_used_at IS NULL OR t.last_used_at < clock_timestamp() - interval '1 minute' AS last_use_is_old
FROM catalog.tokens t
LEFT JOIN catalog.people p ON p.id = t.person_id
WHERE t.secret_hash = $secret_hash

-- name: good_bearings
-- Who `identify`, `identify_session` and `enter` would still let into the project: every role may read.
WITH asked AS (
    SELECT * FROM unnest($credentials::uuid[], $projects::text[]) AS asked (credential_id, project)
)
SELECT t.id AS credential_id, asked.project
FROM asked
JOIN catalog.tokens t ON t.id = asked.credential_id
LEFT JOIN catalog.people p ON p.id = t.person_id AND t.kind = 'person'
WHERE t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > $now) AND p.disabled_at IS NULL
  AND (t.project = asked.project AND t.kind <> 'person'
       OR coalesce(t.project, asked.project) = asked.project AND p.is_administrator AND 'admin' = ANY (t.current_scopes)
       OR EXISTS (SELECT FROM catalog.members m WHERE m.person_id = p.id AND m.project = asked.project))
UNION ALL
SELECT s.id, asked.project
FROM asked
JOIN catalog.sessions s ON s.id = asked.credential_id
JOIN catalog.people p ON p.id = s.person_id
WHERE s.created_at > $oldest AND s.last_seen_at > $longest_unused AND p.disabled_at IS NULL
  AND (p.is_administrator
       OR EXISTS (SELECT FROM catalog.members m WHERE m.person_id = p.id AND m.project = asked.project))

-- name: record_token_use
-- SKIP LOCKED: if another request holds the row, it is recording the same minute.
UPDATE catalog.tokens SET last_used_at = clock_timestamp()
WHERE id = (SELECT id FROM catalog.tokens
            WHERE id = $id
              AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute')
            FOR NO KEY UPDATE SKIP LOCKED)

-- name: job_bearer
-- Jobs that belong to no orchestration run as the token that started them; revoking that one ends no job's access.
SELECT j.id, j.parent_id, j.root_id, c.chain_length, coalesce(t.current_buckets, ARRAY['*']) AS buckets
FROM jobs.jobs_v1 j
JOIN jobs.chains_v1 c ON c.id = j.id
LEFT JOIN catalog.tokens t ON t.id = j.token_id AND t.kind = 'orchestration'
WHERE j.id = $job_id AND j.project = $project AND j.attempt = $attempt AND j.exact_status = 'processing'
  AND t.revoked_at IS NULL

-- name: signed_in
SELECT s.id, s.created_at, s.last_seen_at, s.last_seen_at < clock_timestamp() - interval '1 minute' AS last_use_is_old,
       p.id AS person_id, p.email, p.name, p.is_administrator, p.disabled_at IS NOT NULL AS is_disabled
FROM catalog.sessions s
JOIN catalog.people p ON p.id = s.person_id
WHERE s.secret_hash = $secret_hash

-- name: record_session_use
-- SKIP LOCKED: if another request holds the row, it is recording the same minute.
UPDATE catalog.sessions SET last_seen_at = clock_timestamp()
WHERE id = (SELECT id FROM catalog.sessions
            WHERE id = $id AND last_seen_at < clock_timestamp() - interval '1 minute'
            FOR NO KEY UPDATE SKIP LOCKED)

-- name: memberships
SELECT project, role, may_run FROM catalog.members
WHERE person_id = $person_id AND ($project::text IS NULL OR project = $project)
ORDER BY project

-- name: is_project
SELECT EXISTS (SELECT FROM catalog.projects WHERE id = $project)

-- name: tokens
SELECT id, kind, name, project, current_scopes AS scopes, components, created_at, expires_at, revoked_at, last_used_at,
       prefix, description, current_buckets AS buckets, created_by
FROM catalog.tokens
WHERE project = $project AND ($after::uuid IS NULL OR id > $after)
  AND ($revoked::boolean IS NULL OR (revoked_at IS NOT NULL) = $revoked)
  AND ($kind::text IS NULL OR kind = $kind)
  AND ($search::text IS NULL
       OR strpos(lower(concat_ws(' ', name, prefix, description, created_by)), lower($search)) > 0)
ORDER BY id
LIMIT $limit

-- name: token
SELECT id, kind, name, project, current_scopes AS scopes, components, created_at, expires_at, revoked_at, last_used_at,
       prefix, description, current_buckets AS buckets, created_by
FROM catalog.tokens
WHERE project = $project AND id = $id

-- name: lock_token
SELECT id FROM catalog.tokens WHERE id = $id AND project = $project FOR UPDATE

-- name: lock_administrator_token
SELECT id FROM catalog.tokens WHERE id = $id AND project IS NULL FOR UPDATE

-- name: insert_token
INSERT INTO catalog.tokens (
    id, project, kind, name, secret_hash, scopes, components, expires_at, prefix, description, buckets, created_by)
VALUES ($id, $project, $kind, $name, $secret_hash, $scopes, $components, $expires_at, $prefix, $description, $buckets,
        $created_by)
ON CONFLICT (secret_hash) DO NOTHING
RETURNING id

-- name: token_of_setting
SELECT id, revoked_at FROM catalog.tokens WHERE secret_hash = $secret_hash

-- name: insert_token_of_setting
INSERT INTO catalog.tokens (id, kind, name, person_id, secret_hash, scopes, components, from_setting, created_by)
VALUES ($id, 'person', 'administrator', $person_id, $secret_hash, ARRAY['admin'], ARRAY['*'], true, 'start of the api')

-- name: revoke_other_tokens_of_setting
UPDATE catalog.tokens SET revoked_at = clock_timestamp()
WHERE from_setting AND id <> $id AND revoked_at IS NULL
RETURNING id

-- name: administrator_tokens
SELECT t.id, t.name, p.email, t.from_setting, t.created_at, t.expires_at, t.revoked_at, t.last_used_at,
       t.created_by
FROM catalog.tokens t
JOIN catalog.people p ON p.id = t.person_id
WHERE t.project IS NULL AND t.kind = 'person' AND ($after::uuid IS NULL OR t.id > $after)
ORDER BY t.id
LIMIT $limit

-- name: administrator_token
SELECT t.id, t.name, p.email, t.from_setting, t.created_at, t.expires_at, t.revoked_at, t.last_used_at,
       t.created_by
FROM catalog.tokens t
JOIN catalog.people p ON p.id = t.person_id
WHERE t.project IS NULL AND t.kind = 'person' AND t.id = $id

-- name: revoke_administrator_token
UPDATE catalog.tokens SET revoked_at = clock_timestamp()
WHERE project IS NULL AND kind = 'person' AND id = $id AND revoked_at IS NULL

-- name: revoke_token
UPDATE catalog.tokens SET revoked_at = clock_timestamp()
WHERE project = $project AND id = $id AND revoked_at IS NULL

-- name: change_token
UPDATE catalog.tokens
SET name = coalesce($name, name), description = coalesce($description, description),
    expires_at = CASE WHEN $sets_expiry THEN $expires_at ELSE expires_at END
WHERE project = $project AND id = $id

-- name: refresh_token
UPDATE catalog.tokens SET secret_hash = $secret_hash, prefix = $prefix
WHERE project = $project AND id = $id AND revoked_at IS NULL

-- name: narrow_token_of_orchestration
UPDATE catalog.tokens SET components = $components WHERE project = $project AND id = $id

-- name: revoke_token_of_orchestration
UPDATE catalog.tokens SET revoked_at = clock_timestamp()
WHERE project = $project AND revoked_at IS NULL AND id = (SELECT token_id FROM catalog.orchestration_tokens
                                                        WHERE project = $project AND orchestration = $orchestration)

-- name: refresh_token_of_orchestration
UPDATE catalog.tokens SET secret_hash = $secret_hash, prefix = $prefix, revoked_at = NULL
WHERE project = $project AND id = $id

-- name: orchestration_token
SELECT t.id, t.kind, t.name, t.project, t.current_scopes AS scopes, t.components, t.created_at, t.expires_at,
       t.revoked_at, t.last_used_at, t.prefix, t.description, t.current_buckets AS buckets, t.created_by
FROM catalog.orchestration_tokens o
JOIN catalog.tokens t ON t.id = o.token_id
WHERE o.project = $project AND o.orchestration = $orchestration

-- name: link_orchestration_token
INSERT INTO catalog.orchestration_tokens (project, orchestration, token_id) VALUES ($project, $orchestration, $token_id)

-- name: unlink_orchestration_token
DELETE FROM catalog.orchestration_tokens WHERE project = $project AND orchestration = $orchestration

-- name: lock_administrators
SELECT pg_advisory_xact_lock(7203151, 1)

-- name: administrators
SELECT id, email FROM catalog.people WHERE is_administrator ORDER BY created_at

-- name: insert_administrator
INSERT INTO catalog.people (id, email, name, is_administrator) VALUES ($id, $email, $email, true)

-- name: insert_personal_token
-- A login has one token; whoever ends its session at this moment waits, and then ends the token, too.
-- The scope admin is worth what the person is when the token is used.
WITH made AS (
    INSERT INTO catalog.tokens (
        id, kind, name, person_id, secret_hash, prefix, scopes, components, expires_at, created_by)
    SELECT $id, 'person', $name, p.id, $secret_hash, $prefix, ARRAY['admin'], ARRAY['*'], $expires_at, p.email
    FROM catalog.people p
    JOIN catalog.sessions s ON s.person_id = p.id AND s.id = $session_id
    WHERE p.id = $person_id AND p.disabled_at IS NULL
    FOR KEY SHARE OF s
    ON CONFLICT DO NOTHING
    RETURNING *)
SELECT t.id, t.name, p.email, t.prefix, t.created_at, t.expires_at, t.revoked_at, t.last_used_at
FROM made t JOIN catalog.people p ON p.id = t.person_id

-- name: personal_tokens
-- Those that are still good, or one.
SELECT t.id, t.name, p.email, t.prefix, t.created_at, t.expires_at, t.revoked_at, t.last_used_at
FROM catalog.tokens t JOIN catalog.people p ON p.id = t.person_id
WHERE t.person_id = $person_id AND t.kind = 'person'
    AND (t.id = $id OR ($id::uuid IS NULL AND t.revoked_at IS NULL
                        AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp())))
ORDER BY t.id

-- name: revoke_personal_token
UPDATE catalog.tokens SET revoked_at = clock_timestamp()
WHERE person_id = $person_id AND kind = 'person' AND id = $id AND revoked_at IS NULL

-- name: revoke_logins
-- All logins of the command line: people get no other tokens, except from the setting.
UPDATE catalog.tokens SET revoked_at = clock_timestamp()
WHERE person_id = $person_id AND kind = 'person' AND NOT from_setting AND revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > clock_timestamp()) AND ($except_id::uuid IS NULL OR id <> $except_id)

-- People, and the members of projects.

-- name: insert_person
INSERT INTO catalog.people (id, email, name) VALUES ($id, $email, $name)
ON CONFLICT (lower(email)) DO NOTHING

-- name: person_by_email
SELECT p.id, p.email, p.name, p.is_administrator, p.disabled_at, p.created_at, i.issuer AS identity_provider
FROM catalog.people p LEFT JOIN catalog.person_identities i ON i.person_id = p.id
WHERE lower(p.email) = lower($email)

-- name: person
SELECT p.id, p.email, p.name, p.is_administrator, p.disabled_at, p.created_at, i.issuer AS identity_provider
FROM catalog.people p LEFT JOIN catalog.person_identities i ON i.person_id = p.id
WHERE p.id = $id

-- name: members
SELECT m.person_id, p.email, p.name, m.role, m.may_run, m.source, p.disabled_at, m.created_at
FROM catalog.members m
JOIN catalog.people p ON p.id = m.person_id
WHERE m.project = $project AND ($after::uuid IS NULL OR m.person_id > $after)
ORDER BY m.person_id
LIMIT $limit

-- name: member
SELECT m.person_id, p.email, p.name, m.role, m.may_run, m.source, p.disabled_at, m.created_at
FROM catalog.members m
JOIN catalog.people p ON p.id = m.person_id
WHERE m.project = $project AND m.person_id = $person_id

-- name: insert_member
INSERT INTO catalog.members (project, person_id, role, may_run) VALUES ($project, $person_id, $role, $may_run)
ON CONFLICT (project, person_id) DO NOTHING

-- name: update_member
-- Whoever changes a role by hand takes it from the identity provider.
UPDATE catalog.members SET role = $role, may_run = $may_run, source = 'manual' WHERE project = $project AND person_id = $person_id

-- name: delete_member
DELETE FROM catalog.members WHERE project = $project AND person_id = $person_id

-- name: lock_members
-- Changes of a project's members take turns: otherwise two could each remove the other of the last two admins.
SELECT id FROM catalog.projects WHERE id = $project FOR NO KEY UPDATE

-- name: has_other_admin
SELECT EXISTS (
    SELECT FROM catalog.members m
    JOIN catalog.people p ON p.id = m.person_id
    WHERE m.project = $project AND m.role = 'admin' AND m.person_id <> $person_id AND p.disabled_at IS NULL)

-- name: enabled_admins
SELECT m.person_id FROM catalog.members m
JOIN catalog.people p ON p.id = m.person_id
WHERE m.project = $project AND m.role = 'admin' AND p.disabled_at IS NULL
LIMIT $limit

-- name: has_password
SELECT password_hash IS NOT NULL FROM catalog.people WHERE id = $id

-- name: people
SELECT p.id, p.email, p.name, p.is_administrator, p.disabled_at, p.created_at, i.issuer AS identity_provider
FROM catalog.people p LEFT JOIN catalog.person_identities i ON i.person_id = p.id
WHERE $after::uuid IS NULL OR p.id > $after
ORDER BY p.id
LIMIT $limit

-- name: update_person
UPDATE catalog.people
SET name = $name, is_administrator = $is_administrator,
    administers_by_provider = administers_by_provider AND is_administrator = $is_administrator,
    disabled_at = CASE WHEN $is_disabled THEN coalesce(disabled_at, clock_timestamp()) END
WHERE id = $id

-- name: preferences
SELECT theme, timezone, single_keys, page_size FROM catalog.people WHERE id = $id

-- name: update_preferences
UPDATE catalog.people
SET theme = $theme, timezone = $timezone, single_keys = $single_keys, page_size = $page_size
WHERE id = $id

-- name: lock_who_administers
-- As at the start of the api: changes of who is an administrator take turns. Whoever locks several things locks them in
-- one order, or two would wait for each other: who administers, an identity, its person, the members of projects.
SELECT pg_advisory_xact_lock(7203151, 1)

-- name: has_other_administrator
SELECT EXISTS (SELECT FROM catalog.people WHERE is_administrator AND disabled_at IS NULL AND id <> $id)

-- name: credentials
SELECT id, email, password_hash, disabled_at IS NOT NULL AS is_disabled FROM catalog.people
WHERE lower(email) = lower($email)

-- name: credentials_of
SELECT id, email, password_hash, disabled_at IS NOT NULL AS is_disabled FROM catalog.people WHERE id = $id

-- name: insert_attempts
INSERT INTO catalog.sign_in_attempts (account) VALUES ($account) ON CONFLICT (account) DO NOTHING

-- name: lock_attempts
SELECT failures, extract(epoch FROM next_at - clock_timestamp())::float8 AS wait_seconds,
       updated_at < clock_timestamp() - interval '1 day' AS is_old
FROM catalog.sign_in_attempts WHERE account = $account
FOR UPDATE

-- name: record_attempt
UPDATE catalog.sign_in_attempts
SET failures = $failures, next_at = clock_timestamp() + make_interval(secs => $delay), updated_at = clock_timestamp()
WHERE account = $account

-- name: delete_attempts
DELETE FROM catalog.sign_in_attempts WHERE account = $account

-- name: forget_sign_in_attempts
DELETE FROM catalog.sign_in_attempts WHERE account IN (
    SELECT account FROM catalog.sign_in_attempts WHERE updated_at < clock_timestamp() - interval '2 days' LIMIT $batch)

-- name: insert_session
-- Not for an account that was disabled, or whose password was changed, while the password was checked.
INSERT INTO catalog.sessions (id, person_id, secret_hash, address, user_agent)
SELECT $id, p.id, $secret_hash, $address, $user_agent FROM catalog.people p
WHERE p.id = $person_id AND p.password_hash = $password_hash AND p.disabled_at IS NULL
FOR SHARE

-- name: insert_provider_session
-- The account is locked and not disabled.
INSERT INTO catalog.sessions (id, person_id, secret_hash, address, user_agent)
VALUES ($id, $person_id, $secret_hash, $address, $user_agent)

-- name: change_password
UPDATE catalog.people SET password_hash = $new_hash WHERE id = $id AND password_hash = $old_hash

-- name: sessions
SELECT id, created_at, last_seen_at, address, user_agent FROM catalog.sessions
WHERE person_id = $person_id AND created_at > $created_after AND last_seen_at > $seen_after
ORDER BY last_seen_at DESC, id
LIMIT 500

-- name: delete_session
DELETE FROM catalog.sessions WHERE id = $id AND person_id = $person_id

-- name: delete_sessions
DELETE FROM catalog.sessions WHERE person_id = $person_id AND ($except_id::uuid IS NULL OR id <> $except_id)

-- name: forget_sessions
-- Longer than any session may last.
DELETE FROM catalog.sessions WHERE id IN (
    SELECT id FROM catalog.sessions WHERE last_seen_at < clock_timestamp() - interval '90 days' LIMIT $batch)

-- name: insert_link
INSERT INTO catalog.person_links (id, person_id, purpose, project, invited_by, expires_at, mail_requested_at)
VALUES ($id, $person_id, $purpose, $project, $invited_by, $expires_at, CASE WHEN $is_mailed THEN clock_timestamp() END)

-- name: open_link
SELECT l.id, l.person_id, l.purpose, l.expires_at, p.email, p.name
FROM catalog.person_links l
JOIN catalog.people p ON p.id = l.person_id
WHERE l.id = $id AND l.used_at IS NULL AND l.expires_at > $now AND p.disabled_at IS NULL

-- name: lock_person
-- Uses of a person's links take turns: each ends them all.
SELECT id FROM catalog.people WHERE id = $id AND disabled_at IS NULL FOR NO KEY UPDATE

-- name: use_links
UPDATE catalog.person_links SET used_at = clock_timestamp()
WHERE person_id = $person_id AND used_at IS NULL
RETURNING id

-- name: set_password
UPDATE catalog.people SET password_hash = $password_hash, name = coalesce($name, name) WHERE id = $id

-- name: is_reset_under_way
SELECT EXISTS (
    SELECT FROM catalog.person_links
    WHERE person_id = $person_id AND purpose = 'reset' AND used_at IS NULL
      AND mail_requested_at > clock_timestamp() - interval '2 minutes')

-- name: seconds_until_mail
-- Until the `most`-th newest mail is an hour old; no row if it is, or if there were fewer.
SELECT extract(epoch FROM mail_requested_at + interval '1 hour' - clock_timestamp())::float8
FROM catalog.person_links
WHERE person_id = $person_id AND mail_requested_at > clock_timestamp() - interval '1 hour'
ORDER BY mail_requested_at DESC
OFFSET $most::int - 1 LIMIT 1

-- name: can_administer
-- Whether anyone can get in as an instance administrator: by a password, at the identity provider, or by a token.
SELECT EXISTS (
    SELECT FROM catalog.people p
    WHERE p.is_administrator AND p.disabled_at IS NULL
      AND (p.password_hash IS NOT NULL AND $with_passwords
           OR EXISTS (SELECT FROM catalog.person_identities i WHERE i.person_id = p.id AND i.issuer = $issuer)
           OR EXISTS (SELECT FROM catalog.tokens t
                      WHERE t.person_id = p.id AND t.kind = 'person' AND t.revoked_at IS NULL
                        AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp()))))

-- name: make_administrator
UPDATE catalog.people SET is_administrator = true, disabled_at = NULL WHERE id = $id

-- name: forget_person_links
DELETE FROM catalog.person_links WHERE id IN (
    SELECT id FROM catalog.person_links WHERE expires_at < clock_timestamp() - make_interval(days => $days) LIMIT $batch)

-- name: person_of_identity
-- Locked until the sign-in ends: whoever unlinks it meanwhile waits, and then ends the new session as well.
SELECT person_id FROM catalog.person_identities WHERE issuer = $issuer AND subject = $subject
FOR KEY SHARE

-- name: insert_identity
-- Nothing is stored if the person has another identity, or the identity another person.
INSERT INTO catalog.person_identities (issuer, subject, person_id) VALUES ($issuer, $subject, $person_id)
ON CONFLICT DO NOTHING

-- name: delete_identity
DELETE FROM catalog.person_identities WHERE person_id = $person_id RETURNING issuer, subject

-- name: held_roles
SELECT project, role, may_run, source = 'provider' AS is_from_provider FROM catalog.members WHERE person_id = $person_id

-- name: give_role
INSERT INTO catalog.members (project, person_id, role, may_run, source)
VALUES ($project, $person_id, $role, $may_run, 'provider')
ON CONFLICT (project, person_id) DO UPDATE SET role = excluded.role, may_run = excluded.may_run
WHERE members.source = 'provider'

-- name: administers_by_provider
SELECT administers_by_provider FROM catalog.people WHERE id = $id

-- name: set_administrator_by_provider
UPDATE catalog.people SET is_administrator = $administers, administers_by_provider = $administers WHERE id = $id

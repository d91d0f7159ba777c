-- People, and the members of projects.

-- name: insert_person
INSERT INTO catalog.people (id, email, name) VALUES ($id, $email, $name)
ON CONFLICT (lower(email)) DO NOTHING

-- name: person_by_email
SELECT id, email, name, is_administrator, disabled_at, created_at FROM catalog.people WHERE lower(email) = lower($email)

-- name: person
SELECT id, email, name, is_administrator, disabled_at, created_at FROM catalog.people WHERE id = $id

-- name: members
SELECT m.person_id, p.email, p.name, m.role, m.may_run, p.disabled_at, m.created_at
FROM catalog.members m
JOIN catalog.people p ON p.id = m.person_id
WHERE m.project = $project AND ($after::uuid IS NULL OR m.person_id > $after)
ORDER BY m.person_id
LIMIT $limit

-- name: member
SELECT m.person_id, p.email, p.name, m.role, m.may_run, p.disabled_at, m.created_at
FROM catalog.members m
JOIN catalog.people p ON p.id = m.person_id
WHERE m.project = $project AND m.person_id = $person_id

-- name: insert_member
INSERT INTO catalog.members (project, person_id, role, may_run) VALUES ($project, $person_id, $role, $may_run)
ON CONFLICT (project, person_id) DO NOTHING

-- name: update_member
UPDATE catalog.members SET role = $role, may_run = $may_run WHERE project = $project AND person_id = $person_id

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

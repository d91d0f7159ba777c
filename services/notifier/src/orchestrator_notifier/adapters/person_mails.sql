-- Links that people are to get by mail; who they are is read anew whenever a mail is written.

-- name: person_mail
SELECT link_id, email, name, project, project_name, inviter, purpose, expires_at, used_at, disabled_at
FROM catalog.person_mails_v1
WHERE link_id = $link_id

-- name: unannounced_links
-- Whose message was lost or is late.
SELECT v.link_id FROM catalog.person_mails_v1 v
WHERE v.requested_at > (SELECT p.finished_at FROM notifications.progress p WHERE p.name = 'people')
        - make_interval(secs => $overlap_seconds)
    AND v.used_at IS NULL AND v.disabled_at IS NULL AND v.expires_at > clock_timestamp()
    AND NOT EXISTS (SELECT FROM notifications.facts f WHERE f.key = 'person-mail:' || v.link_id)
ORDER BY v.requested_at
LIMIT $limit

-- name: advance_people
UPDATE notifications.progress SET finished_at = greatest(finished_at, $to) WHERE name = 'people'

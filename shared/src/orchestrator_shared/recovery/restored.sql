-- Makes a restored database safe for its services.

-- name: strangers
-- Who else is connected. Background processes of the server have no user.
SELECT DISTINCT usename::text FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename IS NOT NULL ORDER BY 1

-- name: lose_replicas
-- A runner of before the restore finds its lease gone, and ends with its tasks. The jobs are taken over at once.
UPDATE jobs.replicas SET lost_at = clock_timestamp() WHERE lost_at IS NULL

-- name: fence
-- In the time that the restore undid, these jobs may have got the next epochs: no such write may fit.
UPDATE jobs.jobs SET epoch = epoch + $distance WHERE finished_at IS NULL

-- name: end_sessions
DELETE FROM catalog.sessions

-- name: end_links
UPDATE catalog.person_links SET used_at = clock_timestamp() WHERE used_at IS NULL

-- name: revoke_tokens
-- Not that of ORCHESTRATOR_ADMIN_TOKEN, and not those of orchestrations, which nobody holds.
UPDATE catalog.tokens SET revoked_at = clock_timestamp()
WHERE revoked_at IS NULL AND kind <> 'orchestration' AND NOT from_setting

-- name: valid_tokens
SELECT count(*) FROM catalog.tokens
WHERE revoked_at IS NULL AND kind <> 'orchestration' AND NOT from_setting
  AND (expires_at IS NULL OR expires_at > clock_timestamp())

-- name: skip_fires
-- Version 0 is none that was ever saved: the scheduler adopts the schedule again and counts from this anchor.
UPDATE scheduler.next_fires SET next_at = NULL, next_key = NULL, version = 0, anchor = date_trunc('second', clock_timestamp())
WHERE next_at <= clock_timestamp()

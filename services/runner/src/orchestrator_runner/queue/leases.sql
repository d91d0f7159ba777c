-- One lease per replica, one row written per heartbeat; only the database's clock counts.

-- name: register
INSERT INTO jobs.replicas (id, name, slots, lease_until)
VALUES ($replica, $name, $slots, clock_timestamp() + make_interval(secs => $seconds))

-- name: renew
-- Finds no row once another replica has declared this one lost: then its jobs may already run elsewhere.
UPDATE jobs.replicas SET lease_until = clock_timestamp() + make_interval(secs => $seconds)
WHERE id = $replica AND lost_at IS NULL
RETURNING lease_until

-- name: announce_stop
UPDATE jobs.replicas SET stopping = true WHERE id = $replica

-- name: unregister
UPDATE jobs.replicas SET lost_at = clock_timestamp() WHERE id = $replica AND lost_at IS NULL

-- The table is one per service: {outbox} stands for its schema-qualified name.

-- name: insert
INSERT INTO {outbox} (id, exchange, routing_key, mandatory, body)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[], $5::bytea[]);

-- name: delete
DELETE FROM {outbox} WHERE id = ANY ($1::uuid[]);

-- name: claim
WITH unsent AS MATERIALIZED (
    SELECT id FROM {outbox}
    WHERE created_at < clock_timestamp() - make_interval(secs => $1)
      AND (claimed_until IS NULL OR claimed_until < clock_timestamp())
      AND id <> ALL ($4::uuid[])
    ORDER BY created_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED
)
UPDATE {outbox} AS outbox SET claimed_until = clock_timestamp() + make_interval(secs => $3)
FROM unsent
WHERE outbox.id = unsent.id
RETURNING outbox.id, outbox.exchange, outbox.routing_key, outbox.mandatory, outbox.body, outbox.created_at;

-- name: postpone
UPDATE {outbox} SET claimed_until = clock_timestamp() + make_interval(secs => $2) WHERE id = ANY ($1::uuid[]);

-- name: measure
SELECT count(*) AS rows, coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS oldest
FROM (SELECT created_at FROM {outbox} ORDER BY created_at LIMIT 10000) AS unsent;

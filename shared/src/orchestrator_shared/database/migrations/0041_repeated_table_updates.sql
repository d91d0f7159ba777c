-- Table updates that came with an Idempotency-Key: the same request again is answered as before, and publishes nothing.

CREATE TABLE catalog.keyed_updates (
    idempotency_id uuid PRIMARY KEY,
    project text NOT NULL,
    request_digest bytea NOT NULL,
    update_ids text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN catalog.keyed_updates.idempotency_id IS 'made from project, token (or job) and Idempotency-Key';
COMMENT ON COLUMN catalog.keyed_updates.update_ids IS 'what the request was answered with, in its order';
CREATE INDEX keyed_updates_created ON catalog.keyed_updates (created_at);

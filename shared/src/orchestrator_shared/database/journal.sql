-- The migrations' own journal: which files have been applied, and what was in them.

-- name: create_journal
CREATE SCHEMA IF NOT EXISTS orchestrator_migrations;
CREATE TABLE IF NOT EXISTS orchestrator_migrations.applied (
    name text PRIMARY KEY,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- name: journal_exists
SELECT to_regclass('orchestrator_migrations.applied') IS NOT NULL;

-- name: applied
SELECT name, checksum FROM orchestrator_migrations.applied ORDER BY name;

-- name: record
INSERT INTO orchestrator_migrations.applied (name, checksum) VALUES ($1, $2);

-- name: try_lock
SELECT pg_try_advisory_lock(hashtextextended('orchestrator_migrations', 0));

-- name: unlock
SELECT pg_advisory_unlock(hashtextextended('orchestrator_migrations', 0));

-- name: relax_limits
-- A migration may take its time, but a lock that others need is not waited for forever.
SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '30s', true),
       set_config('idle_in_transaction_session_timeout', '0', true);

-- name: existing_roles
SELECT rolname FROM pg_roles WHERE rolname = ANY ($1::text[]);

-- Every {placeholder} is replaced with a quoted identifier, never with a value.

-- name: schema_exists
SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)

-- name: create_schema
CREATE SCHEMA IF NOT EXISTS {schema}

-- name: notice_lost_client
-- A killed component must not leave its statement running and its locks held.
SET client_connection_check_interval = '2s'

-- name: table_exists
SELECT EXISTS (
    SELECT FROM pg_class
    JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace
    WHERE nspname = $1 AND relname = $2 AND relkind IN ('r', 'p', 'v', 'm', 'f')
)

-- name: count_rows
SELECT count(*) FROM {table}

-- name: create_table
CREATE TABLE {table} ({columns})

-- name: create_table_if_missing
CREATE TABLE IF NOT EXISTS {table} ({columns})

-- name: lock_table_name
-- Otherwise two loads of one table could both find the name free, and one would fail.
SELECT pg_advisory_xact_lock(hashtextextended($1, 0))

-- name: drop_table
DROP TABLE IF EXISTS {table}

-- name: rename_table
ALTER TABLE {table} RENAME TO {new_name}

-- name: create_load_record
CREATE TABLE IF NOT EXISTS {loads} (
    job_id text NOT NULL,
    table_name text NOT NULL,
    rows bigint NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job_id, table_name)
)

-- name: rows_already_loaded
SELECT rows FROM {loads} WHERE job_id = $1 AND table_name = $2

-- name: record_load
INSERT INTO {loads} (job_id, table_name, rows) VALUES ($1, $2, $3)

-- name: transaction_id
SELECT pg_current_xact_id()::text

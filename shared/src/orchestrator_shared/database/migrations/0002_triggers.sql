-- triggers: what was heard and what was used (ARCHITECTURE section 5). Owned and written by the trigger-watcher.
CREATE SCHEMA triggers;

CREATE TABLE triggers.tables (
    project text NOT NULL,
    name text NOT NULL,
    last_seq bigint NOT NULL DEFAULT 0,
    last_heard_at timestamptz,
    PRIMARY KEY (project, name)
);
COMMENT ON COLUMN triggers.tables.last_seq IS
    'grows under the row lock, so the order of numbers is the order of commits';

CREATE TABLE triggers.updates (
    project text NOT NULL,
    source text NOT NULL,
    event_id text NOT NULL,
    table_name text NOT NULL,
    seq bigint NOT NULL,
    heard_at timestamptz NOT NULL,
    said_at timestamptz,
    row_count bigint,
    job_id uuid,
    deliveries integer NOT NULL DEFAULT 1,
    PRIMARY KEY (project, source, event_id),
    UNIQUE (project, table_name, seq)
);
COMMENT ON COLUMN triggers.updates.deliveries IS 'a repeated delivery is a count, not another update';
CREATE INDEX updates_heard ON triggers.updates (heard_at);

CREATE TABLE triggers.states (
    trigger_id uuid PRIMARY KEY,
    project text NOT NULL,
    orchestration text NOT NULL,
    name text NOT NULL,
    version integer NOT NULL,
    reset_count integer NOT NULL DEFAULT 0,
    enabled boolean NOT NULL,
    cool_down_seconds integer NOT NULL,
    mode text NOT NULL,
    generation integer NOT NULL DEFAULT 0,
    pending_job_id uuid,
    last_started_at timestamptz,
    due_at timestamptz,
    deleted_at timestamptz
);
COMMENT ON TABLE triggers.states IS 'one row per trigger: the lock that orders decisions and run starts';
COMMENT ON COLUMN triggers.states.pending_job_id IS 'the run this trigger asked for that has neither started nor ended';
COMMENT ON COLUMN triggers.states.last_started_at IS 'start of the last run that this trigger started: the cool-down runs from it';
COMMENT ON COLUMN triggers.states.due_at IS 'mode defer: end of the cool-down after which the complete set fires';
CREATE INDEX states_due ON triggers.states (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX states_orchestration ON triggers.states (project, orchestration);

CREATE TABLE triggers.counts (
    trigger_id uuid NOT NULL REFERENCES triggers.states,
    table_project text NOT NULL,
    table_name text NOT NULL,
    counted bigint NOT NULL,
    counted_at timestamptz,
    used bigint NOT NULL,
    PRIMARY KEY (trigger_id, table_project, table_name),
    CHECK (counted >= 0 AND used >= 0)
);
COMMENT ON COLUMN triggers.counts.counted IS 'number of the newest update that counts; ready when counted > used for every table';
COMMENT ON COLUMN triggers.counts.used IS 'largest number used up by a full run, or by the start of counting';
CREATE INDEX counts_table ON triggers.counts (table_project, table_name);

CREATE TABLE triggers.dispositions (
    trigger_id uuid NOT NULL,
    project text NOT NULL,
    table_name text NOT NULL,
    seq bigint NOT NULL,
    disposition text NOT NULL CHECK (disposition IN ('counted', 'completed', 'ignored_in_cool_down',
                                                     'belongs_to_waiting_run', 'trigger_disabled')),
    at timestamptz NOT NULL,
    job_id uuid,
    PRIMARY KEY (trigger_id, project, table_name, seq)
);
COMMENT ON TABLE triggers.dispositions IS 'exactly one per update and trigger';
CREATE INDEX dispositions_at ON triggers.dispositions (trigger_id, at DESC);
CREATE INDEX dispositions_age ON triggers.dispositions (at);

CREATE TABLE triggers.fires (
    trigger_id uuid NOT NULL,
    generation integer NOT NULL,
    job_id uuid NOT NULL UNIQUE,
    at timestamptz NOT NULL,
    tables jsonb NOT NULL,
    started_at timestamptz,
    ended text,
    PRIMARY KEY (trigger_id, generation)
);
COMMENT ON COLUMN triggers.fires.tables IS 'the updates that completed the set: [{project, table, seq, heard_at}]';
COMMENT ON COLUMN triggers.fires.ended IS 'started; unstarted: it ended before, its updates count as used; withdrawn: another full run used them first';

CREATE TABLE triggers.edits (
    trigger_id uuid NOT NULL,
    version integer NOT NULL,
    reset_count integer NOT NULL,
    at timestamptz NOT NULL,
    enabled boolean NOT NULL,
    detail jsonb NOT NULL,
    PRIMARY KEY (trigger_id, version, reset_count, enabled, at)
);

CREATE TABLE triggers.outbox (LIKE catalog.outbox INCLUDING ALL);

-- Called by the runner in the transaction that starts full runs, whatever their origin. It locks the
-- orchestrations' trigger rows in id order and, in a new statement, reads how far each table has been heard.
-- The watcher locks the same rows before it decides and then reads the run starts: so an update is either
-- heard before the start (and in this vector) or after it.
CREATE FUNCTION triggers.begin_runs(in_projects text[], in_orchestrations text[])
RETURNS TABLE (project text, orchestration text, trigger_id uuid, table_project text, table_name text, last_seq bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM 1 FROM triggers.states s
    WHERE (s.project, s.orchestration) IN (SELECT * FROM unnest(in_projects, in_orchestrations))
    ORDER BY s.trigger_id FOR UPDATE;
    RETURN QUERY
    SELECT s.project, s.orchestration, c.trigger_id, c.table_project, c.table_name, coalesce(t.last_seq, 0)
    FROM triggers.states s
    JOIN triggers.counts c ON c.trigger_id = s.trigger_id
    LEFT JOIN triggers.tables t ON (t.project, t.name) = (c.table_project, c.table_name)
    WHERE (s.project, s.orchestration) IN (SELECT * FROM unnest(in_projects, in_orchestrations))
    ORDER BY 1, 2, 3, 4, 5;
END $$;
REVOKE ALL ON FUNCTION triggers.begin_runs(text[], text[]) FROM public;

CREATE VIEW triggers.tables_v1 AS SELECT project, name, last_seq, last_heard_at FROM triggers.tables;
CREATE VIEW triggers.states_v1 AS
SELECT trigger_id, project, orchestration, version, enabled, cool_down_seconds, mode, generation, pending_job_id,
       last_started_at, deleted_at, name, due_at
FROM triggers.states;
CREATE VIEW triggers.counts_v1 AS
SELECT trigger_id, table_project, table_name, counted, counted_at, used FROM triggers.counts;
CREATE VIEW triggers.dispositions_v1 AS
SELECT d.trigger_id, d.project, d.table_name, d.seq, d.disposition, d.at, d.job_id, u.event_id, u.source, u.deliveries
FROM triggers.dispositions d
LEFT JOIN triggers.updates u ON (u.project, u.table_name, u.seq) = (d.project, d.table_name, d.seq);
CREATE VIEW triggers.fires_v1 AS
SELECT trigger_id, generation, job_id, at, tables, started_at, ended FROM triggers.fires;

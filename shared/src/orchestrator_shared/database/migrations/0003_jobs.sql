-- jobs: the engine (ARCHITECTURE section 4). Owned and written by the runner.
CREATE SCHEMA jobs;

CREATE TABLE jobs.lanes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project text NOT NULL,
    component text NOT NULL,
    configuration text NOT NULL,
    next_seq bigint NOT NULL DEFAULT 1,
    UNIQUE (project, component, configuration)
);
COMMENT ON TABLE jobs.lanes IS
    'one per configuration; whatever changes who may run locks it first, in id order. The holder is the job in an active status';

CREATE TABLE jobs.replicas (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    slots integer NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease_until timestamptz NOT NULL,
    stopping boolean NOT NULL DEFAULT false,
    lost_at timestamptz
);

CREATE TABLE jobs.jobs (
    id uuid PRIMARY KEY,
    lane_id bigint NOT NULL REFERENCES jobs.lanes,
    seq bigint NOT NULL,
    project text NOT NULL,
    component text NOT NULL,
    configuration text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('component', 'run')),
    status text NOT NULL CHECK (status IN ('waiting', 'ready', 'processing', 'terminating',
                                           'success', 'warning', 'error', 'cancelled', 'terminated')),
    origin text NOT NULL CHECK (origin IN ('manual', 'schedule', 'trigger', 'api', 'retry', 'parent')),
    parent_id uuid REFERENCES jobs.jobs,
    root_id uuid NOT NULL,
    depth integer NOT NULL DEFAULT 0 CHECK (depth BETWEEN 0 AND 50),
    phase integer,
    task_id text,
    -- the request
    requested_by text,
    token_id uuid,
    notify text,
    attended boolean NOT NULL DEFAULT false,
    overlap text NOT NULL DEFAULT 'queue',
    schedule_id uuid,
    fire_key text,
    trigger_id uuid,
    generation integer,
    retry_of uuid,
    pinned_version integer,
    selection text[],
    parameters jsonb NOT NULL DEFAULT '{}',
    scheduled_for timestamptz NOT NULL,
    previous_success timestamptz,
    -- the rules
    max_attempts integer NOT NULL DEFAULT 1 CHECK (max_attempts > 0),
    attempt_delay_seconds double precision NOT NULL DEFAULT 0,
    attempt_backoff double precision NOT NULL DEFAULT 1,
    retry_on text NOT NULL DEFAULT 'any' CHECK (retry_on IN ('any', 'user', 'internal')),
    timeout_seconds double precision,
    -- ownership
    epoch integer NOT NULL DEFAULT 0,
    attempt integer NOT NULL DEFAULT 0,
    free_attempts integer NOT NULL DEFAULT 0 CHECK (free_attempts <= attempt),
    replica_id uuid REFERENCES jobs.replicas,
    revision bigint NOT NULL DEFAULT 1,
    -- times
    requested_at timestamptz NOT NULL,
    accepted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    delayed boolean NOT NULL DEFAULT false,
    ready_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    stop_requested_at timestamptz,
    stop_requested_by text,
    -- what it runs, and what came of it
    version integer,
    full_run boolean,
    used_updates jsonb,
    message text,
    error_kind text CHECK (error_kind IN ('user', 'internal')),
    output_tables jsonb NOT NULL DEFAULT '[]',
    UNIQUE (lane_id, seq),
    CHECK ((status IN ('success', 'warning', 'error', 'cancelled', 'terminated')) = (finished_at IS NOT NULL)),
    CHECK (status <> 'cancelled' OR attempt = 0),
    CHECK (kind = 'run' OR status <> 'processing' OR (replica_id IS NOT NULL AND attempt > 0)),
    CHECK ((parent_id IS NULL) = (depth = 0)),
    CHECK (status NOT IN ('error') OR error_kind IS NOT NULL)
);
COMMENT ON COLUMN jobs.jobs.epoch IS 'changes with ownership and fences the runner''s writes';
COMMENT ON COLUMN jobs.jobs.attempt IS 'changes when work starts anew';
COMMENT ON COLUMN jobs.jobs.free_attempts IS
    'attempts cut short by a lost or stopped runner: they do not count towards max_attempts';
COMMENT ON COLUMN jobs.jobs.delayed IS 'waits for due_at between two attempts, blocking nobody';
-- The guarantee: of the jobs of one configuration at most one is underway. terminating belongs in it, or the
-- next job would start while the last one is being killed.
CREATE UNIQUE INDEX jobs_one_active_per_lane ON jobs.jobs (lane_id)
    WHERE status IN ('ready', 'processing', 'terminating');
CREATE INDEX jobs_ready ON jobs.jobs (ready_at, id) WHERE status = 'ready' AND kind = 'component';
CREATE INDEX jobs_ready_runs ON jobs.jobs (ready_at, id) WHERE status = 'ready' AND kind = 'run';
CREATE INDEX jobs_waiting_in_lane ON jobs.jobs (lane_id, seq) WHERE status = 'waiting';
CREATE INDEX jobs_delayed ON jobs.jobs (due_at) WHERE status = 'waiting' AND delayed;
CREATE INDEX jobs_of_replica ON jobs.jobs (replica_id) WHERE status IN ('processing', 'terminating');
CREATE INDEX jobs_underway_in_project ON jobs.jobs (project)
    WHERE status IN ('processing', 'terminating') AND kind = 'component';
CREATE INDEX jobs_unfinished_runs ON jobs.jobs (depth, id) WHERE kind = 'run' AND finished_at IS NULL;
CREATE INDEX jobs_children ON jobs.jobs (parent_id, phase) WHERE parent_id IS NOT NULL;
CREATE INDEX jobs_root ON jobs.jobs (root_id);
CREATE INDEX jobs_of_configuration ON jobs.jobs (project, component, configuration, seq DESC);
CREATE INDEX jobs_of_project ON jobs.jobs (project, accepted_at DESC);
CREATE INDEX jobs_finished ON jobs.jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX jobs_of_trigger ON jobs.jobs (trigger_id, generation) WHERE trigger_id IS NOT NULL;
CREATE UNIQUE INDEX jobs_fire ON jobs.jobs (schedule_id, fire_key) WHERE fire_key IS NOT NULL;

CREATE TABLE jobs.phases (
    run_id uuid NOT NULL REFERENCES jobs.jobs ON DELETE CASCADE,
    index integer NOT NULL,
    name text NOT NULL,
    remaining integer NOT NULL CHECK (remaining >= 0),
    started_at timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (run_id, index)
);
COMMENT ON COLUMN jobs.phases.remaining IS 'selected tasks not finished yet; whoever makes it 0 advances the run';

CREATE TABLE jobs.tasks (
    run_id uuid NOT NULL,
    phase integer NOT NULL,
    position integer NOT NULL,
    task_id text NOT NULL,
    name text NOT NULL,
    component text NOT NULL,
    configuration text NOT NULL,
    version integer,
    request jsonb NOT NULL,
    continue_on_failure boolean NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'skipped', 'started', 'success', 'warning', 'error',
                                           'cancelled', 'terminated', 'not_executed')),
    job_id uuid,
    lane_id bigint NOT NULL REFERENCES jobs.lanes,
    active boolean NOT NULL,
    PRIMARY KEY (run_id, task_id),
    FOREIGN KEY (run_id, phase) REFERENCES jobs.phases (run_id, index) ON DELETE CASCADE
);
COMMENT ON COLUMN jobs.tasks.request IS 'the job request of the task, Task Parameters merged in';
CREATE INDEX tasks_phase ON jobs.tasks (run_id, phase, position);

CREATE TABLE jobs.attempts (
    job_id uuid NOT NULL REFERENCES jobs.jobs ON DELETE CASCADE,
    attempt integer NOT NULL,
    replica_id uuid NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    outcome text,
    message text,
    PRIMARY KEY (job_id, attempt)
);

CREATE TABLE jobs.logs (
    job_id uuid NOT NULL REFERENCES jobs.jobs ON DELETE CASCADE,
    attempt integer NOT NULL,
    seq integer NOT NULL,
    stream text NOT NULL CHECK (stream IN ('stdout', 'stderr', 'system')),
    at timestamptz NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (job_id, attempt, seq)
);

CREATE TABLE jobs.project_locks (
    project text PRIMARY KEY
);
COMMENT ON TABLE jobs.project_locks IS 'held while jobs of a project with a parallel limit are counted and claimed';

CREATE TABLE jobs.configuration_states (
    project text NOT NULL,
    component text NOT NULL,
    configuration text NOT NULL,
    state jsonb NOT NULL,
    job_id uuid NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (project, component, configuration)
);

CREATE TABLE jobs.tombstones (
    job_id uuid PRIMARY KEY,
    requested_by text,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE jobs.tombstones IS 'a terminate that overtook the request of its job; accept honours it';

CREATE TABLE jobs.request_records (
    job_id uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    decision text NOT NULL CHECK (decision IN ('merged', 'skipped')),
    into_job_id uuid,
    project text NOT NULL,
    configuration text NOT NULL,
    schedule_id uuid,
    fire_key text,
    scheduled_for timestamptz NOT NULL
);
CREATE INDEX request_records_configuration ON jobs.request_records (project, configuration, at DESC, job_id DESC);
COMMENT ON TABLE jobs.request_records IS 'requests that the overlap policy merged into a waiting run or skipped';

CREATE TABLE jobs.outbox (LIKE catalog.outbox INCLUDING ALL);

-- Rows that change often, in tables that grow: a fifth of the table is too late for the planner and for vacuum.
ALTER TABLE jobs.jobs SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE jobs.tasks SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE jobs.outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

CREATE VIEW jobs.jobs_v1 AS
SELECT j.id, j.seq AS number, j.project, j.component, j.configuration, j.kind,
       CASE j.status WHEN 'ready' THEN 'waiting' ELSE j.status END AS status,
       j.origin, j.parent_id, j.root_id, j.depth, j.phase, j.task_id, j.requested_by, j.token_id, j.notify, j.attended,
       j.schedule_id, j.fire_key, j.trigger_id, j.generation, j.retry_of, j.selection, j.parameters, j.scheduled_for,
       j.previous_success, j.max_attempts, j.attempt, j.free_attempts, j.delayed, j.replica_id, j.revision, j.requested_at, j.accepted_at, j.due_at,
       j.ready_at, j.started_at, j.finished_at, j.stop_requested_at, j.stop_requested_by, j.version, j.full_run,
       j.used_updates, j.message, j.error_kind, j.output_tables, j.lane_id, j.timeout_seconds
FROM jobs.jobs j;
CREATE VIEW jobs.phases_v1 AS SELECT run_id, index, name, remaining, started_at, finished_at FROM jobs.phases;
CREATE VIEW jobs.tasks_v1 AS
SELECT run_id, phase, position, task_id, name, component, configuration, continue_on_failure, active, status, job_id, version, request
FROM jobs.tasks;
CREATE VIEW jobs.attempts_v1 AS
SELECT job_id, attempt, replica_id, started_at, finished_at, outcome, message FROM jobs.attempts;
CREATE VIEW jobs.logs_v1 AS SELECT job_id, attempt, seq, stream, at, text FROM jobs.logs;
CREATE VIEW jobs.replicas_v1 AS SELECT id, name, slots, started_at, lease_until, stopping, lost_at FROM jobs.replicas;
CREATE VIEW jobs.request_records_v1 AS
SELECT job_id, at, decision, into_job_id, project, configuration, schedule_id, fire_key, scheduled_for
FROM jobs.request_records;

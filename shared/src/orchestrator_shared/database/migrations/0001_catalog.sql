-- catalog: what people configure. Owned and written by the api only.
CREATE SCHEMA catalog;

CREATE TABLE catalog.projects (
    id text PRIMARY KEY CHECK (id ~ '^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$'),
    name text NOT NULL,
    parallel_limit integer CHECK (parallel_limit > 0),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN catalog.projects.parallel_limit IS 'most component jobs at once; null: no limit';

CREATE TABLE catalog.people (
    id uuid PRIMARY KEY,
    email text NOT NULL,
    name text NOT NULL,
    is_administrator boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX people_email ON catalog.people (lower(email));

CREATE TABLE catalog.members (
    project text NOT NULL REFERENCES catalog.projects,
    person_id uuid NOT NULL REFERENCES catalog.people,
    role text NOT NULL CHECK (role IN ('admin', 'editor', 'viewer')),
    PRIMARY KEY (project, person_id)
);

CREATE TABLE catalog.tokens (
    id uuid PRIMARY KEY,
    project text REFERENCES catalog.projects,
    kind text NOT NULL CHECK (kind IN ('person', 'api', 'orchestration')),
    name text NOT NULL,
    person_id uuid REFERENCES catalog.people,
    secret_hash bytea NOT NULL UNIQUE,
    scopes text[] NOT NULL,
    components text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    CHECK (kind <> 'person' OR person_id IS NOT NULL),
    CHECK (kind <> 'orchestration' OR project IS NOT NULL)
);
COMMENT ON COLUMN catalog.tokens.project IS 'null: an instance administrator''s token, good for every project';
CREATE INDEX tokens_project ON catalog.tokens (project);

CREATE TABLE catalog.components (
    id text PRIMARY KEY,
    name text NOT NULL,
    type text NOT NULL CHECK (type IN ('extractor', 'transformation', 'application', 'writer', 'orchestrator')),
    executor text NOT NULL CHECK (executor IN ('process', 'docker', 'kubernetes', 'http', 'orchestration')),
    after_crash text NOT NULL DEFAULT 'fail' CHECK (after_crash IN ('rerun', 'fail')),
    definition jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN catalog.components.definition IS 'the whole document as registered: command, environment, parameter schema';
INSERT INTO catalog.components (id, name, type, executor, after_crash, definition)
VALUES ('orchestrator', 'Orchestrator', 'orchestrator', 'orchestration', 'rerun', '{}');

CREATE TABLE catalog.configurations (
    project text NOT NULL REFERENCES catalog.projects,
    component text NOT NULL REFERENCES catalog.components,
    id text NOT NULL CHECK (id ~ '^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$'),
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    enabled boolean NOT NULL DEFAULT true,
    version integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at timestamptz,
    PRIMARY KEY (project, component, id)
);
COMMENT ON TABLE catalog.configurations IS 'orchestrations are the configurations of the component orchestrator';

CREATE TABLE catalog.configuration_versions (
    project text NOT NULL,
    component text NOT NULL,
    configuration text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    parameters jsonb NOT NULL CHECK (jsonb_typeof(parameters) = 'object'),
    note text NOT NULL DEFAULT '',
    author text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (project, component, configuration, version),
    FOREIGN KEY (project, component, configuration) REFERENCES catalog.configurations (project, component, id)
        DEFERRABLE INITIALLY DEFERRED
);
COMMENT ON COLUMN catalog.configuration_versions.parameters IS
    'secrets (#keys) encrypted; an orchestration''s definition for the component orchestrator';

CREATE TABLE catalog.orchestration_tokens (
    project text NOT NULL,
    orchestration text NOT NULL,
    token_id uuid NOT NULL UNIQUE REFERENCES catalog.tokens,
    PRIMARY KEY (project, orchestration)
);

CREATE TABLE catalog.variables (
    project text NOT NULL REFERENCES catalog.projects,
    name text NOT NULL CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$'),
    value text NOT NULL,
    secret boolean NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (project, name)
);
COMMENT ON COLUMN catalog.variables.value IS 'encrypted where secret';

CREATE TABLE catalog.schedules (
    id uuid PRIMARY KEY,
    project text NOT NULL,
    orchestration text NOT NULL,
    component text NOT NULL DEFAULT 'orchestrator' CHECK (component = 'orchestrator'),
    name text NOT NULL,
    cron text,
    every_seconds integer CHECK (every_seconds >= 60),
    timezone text NOT NULL DEFAULT 'UTC',
    enabled boolean NOT NULL DEFAULT true,
    overlap text NOT NULL DEFAULT 'one_waiting' CHECK (overlap IN ('one_waiting', 'queue', 'skip')),
    misfire text NOT NULL DEFAULT 'fire_once' CHECK (misfire IN ('fire_once', 'skip', 'fire_all')),
    catch_up_seconds integer NOT NULL DEFAULT 86400 CHECK (catch_up_seconds >= 0),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at timestamptz,
    CHECK ((cron IS NULL) <> (every_seconds IS NULL)),
    FOREIGN KEY (project, component, orchestration) REFERENCES catalog.configurations (project, component, id)
);
CREATE UNIQUE INDEX schedules_name ON catalog.schedules (project, orchestration, name) WHERE deleted_at IS NULL;

CREATE TABLE catalog.triggers (
    id uuid PRIMARY KEY,
    project text NOT NULL,
    orchestration text NOT NULL,
    component text NOT NULL DEFAULT 'orchestrator' CHECK (component = 'orchestrator'),
    name text NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    cool_down_seconds integer NOT NULL DEFAULT 0 CHECK (cool_down_seconds >= 0),
    mode text NOT NULL DEFAULT 'ignore' CHECK (mode IN ('ignore', 'defer')),
    version integer NOT NULL DEFAULT 1,
    reset_count integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at timestamptz,
    FOREIGN KEY (project, component, orchestration) REFERENCES catalog.configurations (project, component, id)
);
CREATE UNIQUE INDEX triggers_name ON catalog.triggers (project, orchestration, name) WHERE deleted_at IS NULL;

CREATE TABLE catalog.trigger_tables (
    trigger_id uuid NOT NULL REFERENCES catalog.triggers,
    table_project text NOT NULL,
    table_name text NOT NULL,
    PRIMARY KEY (trigger_id, table_project, table_name)
);
CREATE INDEX trigger_tables_table ON catalog.trigger_tables (table_project, table_name);

CREATE TABLE catalog.subscriptions (
    id uuid PRIMARY KEY,
    project text NOT NULL,
    orchestration text NOT NULL,
    component text NOT NULL DEFAULT 'orchestrator' CHECK (component = 'orchestrator'),
    event text NOT NULL CHECK (event IN ('error', 'warning', 'success', 'processing_long', 'waiting_long',
                                         'schedule_missed', 'deadline_missed', 'recovered')),
    channel text NOT NULL DEFAULT 'email' CHECK (channel IN ('email', 'webhook')),
    address text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (project, orchestration, event, channel, address),
    FOREIGN KEY (project, component, orchestration) REFERENCES catalog.configurations (project, component, id)
);

CREATE TABLE catalog.shares (
    project text NOT NULL REFERENCES catalog.projects,
    bucket text NOT NULL,
    shared_with text NOT NULL REFERENCES catalog.projects,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (project, bucket, shared_with),
    CHECK (project <> shared_with)
);

CREATE TABLE catalog.run_requests (
    job_id uuid PRIMARY KEY,
    project text NOT NULL REFERENCES catalog.projects,
    component text NOT NULL,
    configuration text NOT NULL,
    origin text NOT NULL CHECK (origin IN ('manual', 'api', 'retry')),
    requested_by text NOT NULL,
    token_id uuid NOT NULL,
    version integer,
    tasks text[],
    parameters jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(parameters) = 'object'),
    retry_of uuid,
    scheduled_for timestamptz NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN catalog.run_requests.tasks IS 'ids of the chosen tasks; null: those with the Active flag';
CREATE INDEX run_requests_configuration
    ON catalog.run_requests (project, component, configuration, requested_at DESC);
CREATE INDEX run_requests_requested ON catalog.run_requests (project, requested_at DESC, job_id DESC);
CREATE INDEX run_requests_retries ON catalog.run_requests (retry_of) WHERE retry_of IS NOT NULL;

CREATE TABLE catalog.audit (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    project text,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_project_at ON catalog.audit (project, at DESC);

CREATE TABLE catalog.outbox (
    id uuid PRIMARY KEY,
    exchange text NOT NULL,
    routing_key text NOT NULL,
    mandatory boolean NOT NULL DEFAULT false,
    body bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    claimed_until timestamptz
);
CREATE INDEX outbox_created ON catalog.outbox (created_at);

-- What the other services may read. A view's columns are a promise: change by adding a _v2.
CREATE VIEW catalog.projects_v1 AS SELECT id, name, parallel_limit FROM catalog.projects;

CREATE VIEW catalog.components_v1 AS
SELECT id, name, type, executor, after_crash, definition, updated_at FROM catalog.components;

CREATE VIEW catalog.configurations_v1 AS
SELECT project, component, id, name, enabled, version, deleted_at FROM catalog.configurations;

CREATE VIEW catalog.configuration_versions_v1 AS
SELECT project, component, configuration, version, parameters FROM catalog.configuration_versions;

CREATE VIEW catalog.orchestration_tokens_v1 AS
SELECT o.project, o.orchestration, o.token_id, t.scopes, t.components
FROM catalog.orchestration_tokens o JOIN catalog.tokens t ON t.id = o.token_id;

CREATE VIEW catalog.variables_v1 AS SELECT project, name, value, secret FROM catalog.variables;

CREATE VIEW catalog.run_requests_v1 AS
SELECT job_id, tasks, parameters, retry_of FROM catalog.run_requests;

CREATE VIEW catalog.schedules_v1 AS
SELECT s.id, s.project, s.orchestration, s.name, s.cron, s.every_seconds, s.timezone, s.overlap, s.misfire,
       s.catch_up_seconds, s.version, s.created_at, s.updated_at,
       s.enabled AND c.enabled AND c.deleted_at IS NULL AS enabled,
       s.deleted_at
FROM catalog.schedules s
JOIN catalog.configurations c ON (c.project, c.component, c.id) = (s.project, s.component, s.orchestration);

CREATE VIEW catalog.triggers_v1 AS
SELECT t.id, t.project, t.orchestration, t.name, t.cool_down_seconds, t.mode, t.version, t.reset_count,
       t.created_at, t.updated_at,
       t.enabled AND c.enabled AND c.deleted_at IS NULL AS enabled,
       t.deleted_at
FROM catalog.triggers t
JOIN catalog.configurations c ON (c.project, c.component, c.id) = (t.project, t.component, t.orchestration);

CREATE VIEW catalog.trigger_tables_v1 AS
SELECT trigger_id, table_project, table_name FROM catalog.trigger_tables;

CREATE VIEW catalog.subscriptions_v1 AS
SELECT id, project, orchestration, event, channel, address FROM catalog.subscriptions;

-- scheduler: when each schedule fires next, and every fire there was. Owned and written by the scheduler.
CREATE SCHEMA scheduler;

CREATE TABLE scheduler.next_fires (
    schedule_id uuid PRIMARY KEY,
    project text NOT NULL,
    version integer NOT NULL,
    enabled boolean NOT NULL,
    next_at timestamptz,
    next_key text,
    anchor timestamptz NOT NULL,
    CHECK ((next_at IS NULL) = (next_key IS NULL))
);
COMMENT ON COLUMN scheduler.next_fires.anchor IS 'fires at or before this instant are settled; intervals are counted from it';
COMMENT ON COLUMN scheduler.next_fires.next_at IS 'null: deleted, nothing to fire; a disabled schedule goes on so that its fires are recorded';
CREATE INDEX next_fires_due ON scheduler.next_fires (next_at) WHERE next_at IS NOT NULL;

CREATE TABLE scheduler.fires (
    schedule_id uuid NOT NULL,
    fire_key text NOT NULL,
    project text NOT NULL,
    orchestration text NOT NULL,
    version integer NOT NULL,
    scheduled_for timestamptz NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    outcome text NOT NULL CHECK (outcome IN ('requested', 'missed', 'disabled', 'superseded')),
    job_id uuid,
    PRIMARY KEY (schedule_id, fire_key),
    CHECK ((outcome = 'requested') = (job_id IS NOT NULL))
);
COMMENT ON TABLE scheduler.fires IS 'the unique key is what makes it exactly one run per fire';
CREATE INDEX fires_of_schedule ON scheduler.fires (schedule_id, scheduled_for DESC);
CREATE INDEX fires_at ON scheduler.fires (at);

CREATE TABLE scheduler.outbox (LIKE catalog.outbox INCLUDING ALL);

CREATE VIEW scheduler.next_fires_v1 AS
SELECT schedule_id, project, version, enabled, next_at, next_key FROM scheduler.next_fires;
CREATE VIEW scheduler.fires_v1 AS
SELECT schedule_id, fire_key, project, orchestration, version, scheduled_for, at, outcome, job_id FROM scheduler.fires;

-- notifications: facts people are told, timers for facts to come, and deliveries. Owned by the notifier.
CREATE SCHEMA notifications;

CREATE TABLE notifications.facts (
    key text PRIMARY KEY,
    project text NOT NULL,
    orchestration text NOT NULL,
    event text NOT NULL,
    job_id uuid,
    root_id uuid,
    detail jsonb NOT NULL DEFAULT '{}',
    made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN notifications.facts.key IS 'natural key, as run-finished:<job id>: hearing twice makes one fact';
CREATE INDEX facts_made ON notifications.facts (made_at);

CREATE TABLE notifications.timers (
    key text PRIMARY KEY,
    project text NOT NULL,
    job_id uuid NOT NULL,
    event text NOT NULL,
    due_at timestamptz NOT NULL
);
CREATE INDEX timers_due ON notifications.timers (due_at);

CREATE TABLE notifications.deliveries (
    id uuid PRIMARY KEY,
    fact_key text NOT NULL REFERENCES notifications.facts ON DELETE CASCADE,
    project text NOT NULL,
    orchestration text NOT NULL,
    event text NOT NULL,
    job_id uuid,
    root_id uuid,
    channel text NOT NULL CHECK (channel IN ('email', 'webhook')),
    recipient text NOT NULL,
    reason text NOT NULL CHECK (reason IN ('subscription', 'starter')),
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'sent', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    message_id text NOT NULL,
    last_error text,
    claimed_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent_at timestamptz,
    UNIQUE (fact_key, channel, recipient),
    CHECK ((status = 'sent') = (sent_at IS NOT NULL))
);
-- Nobody is told twice about one root run and the same event, however deep the run that had it.
CREATE UNIQUE INDEX deliveries_once_per_root ON notifications.deliveries (root_id, event, channel, lower(recipient))
    WHERE root_id IS NOT NULL;
CREATE INDEX deliveries_of_recipient ON notifications.deliveries (recipient, created_at) WHERE status = 'pending';
CREATE INDEX deliveries_due ON notifications.deliveries (next_attempt_at) WHERE status = 'pending';
CREATE INDEX deliveries_of_project ON notifications.deliveries (project, created_at DESC);

CREATE TABLE notifications.progress (
    name text PRIMARY KEY,
    finished_at timestamptz NOT NULL
);
COMMENT ON TABLE notifications.progress IS 'how far the slow scan over finished runs has come: finds what a lost event would have told';
INSERT INTO notifications.progress (name, finished_at) VALUES ('runs', clock_timestamp());

CREATE VIEW notifications.deliveries_v1 AS
SELECT id, fact_key, project, orchestration, event, job_id, channel, recipient, reason, status, attempts, next_attempt_at,
       message_id, last_error, created_at, sent_at
FROM notifications.deliveries;

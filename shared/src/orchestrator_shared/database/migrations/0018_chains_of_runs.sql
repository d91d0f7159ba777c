-- How long the chain is of runs that caused each other by table updates: it travels with updates, requests and jobs.
ALTER TABLE jobs.jobs ADD COLUMN chain_length integer NOT NULL DEFAULT 0;
ALTER TABLE triggers.updates ADD COLUMN chain_length integer NOT NULL DEFAULT 0;
ALTER TABLE triggers.counts ADD COLUMN chain_length integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN jobs.jobs.chain_length IS 'runs in a row up to this one, each caused by table updates of the one before';
COMMENT ON COLUMN triggers.updates.chain_length IS 'of the job that made the update; 0 for updates from outside';
COMMENT ON COLUMN triggers.counts.chain_length IS 'of the newest update that counts';
CREATE VIEW jobs.chains_v1 AS SELECT id, chain_length FROM jobs.jobs;

ALTER TABLE catalog.triggers ADD COLUMN allow_self_trigger boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN catalog.triggers.allow_self_trigger IS 'it may wait for tables that its own orchestration writes';

-- Since when a table belongs to a trigger, for its explanation.
CREATE OR REPLACE VIEW triggers.saved_versions_v1 AS
SELECT number, trigger_id, at, version, reset_count, enabled, cool_down_seconds, mode, deleted, tables
FROM triggers.saved_versions;

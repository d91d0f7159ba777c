-- Labels of orchestrations, and what lists of orchestrations are filtered by. Nothing is wrong while services of the
-- version before still run: they keep the labels that are there.
ALTER TABLE catalog.configurations ADD COLUMN labels text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN catalog.configurations.labels IS 'of orchestrations; sorted, each once';

-- For the api alone. The last three columns cost lookups for each row that is looked at, unless a statement leaves them out.
CREATE VIEW catalog.listed_configurations AS
SELECT c.project, c.component, c.id, c.name, c.description, c.labels, c.enabled, c.version, c.deleted_at,
       c.updated_at,
       (SELECT true FROM catalog.schedules s
        WHERE c.component = 'orchestrator' AND (s.project, s.orchestration) = (c.project, c.id)
          AND s.deleted_at IS NULL LIMIT 1) IS NOT NULL AS has_schedule,
       (SELECT true FROM catalog.triggers t
        WHERE c.component = 'orchestrator' AND (t.project, t.orchestration) = (c.project, c.id)
          AND t.deleted_at IS NULL LIMIT 1) IS NOT NULL AS has_trigger,
       (SELECT last.status
        FROM jobs.lanes_v1 l
        CROSS JOIN LATERAL (SELECT j.status FROM jobs.jobs_v1 j WHERE j.lane_id = l.id ORDER BY j.number DESC LIMIT 1) last
        WHERE (l.project, l.component, l.configuration) = (c.project, c.component, c.id)) AS last_status
FROM catalog.configurations c;
COMMENT ON COLUMN catalog.listed_configurations.last_status IS 'of the newest job; null without one';

-- What needs attention is found by what went wrong, which is rare, not by looking at everything that did not.
CREATE INDEX jobs_failed_runs ON jobs.jobs (project, lane_id, seq DESC)
    WHERE status = 'error' AND kind = 'run' AND parent_id IS NULL;
CREATE INDEX fires_missed ON scheduler.fires (project, scheduled_for DESC) WHERE outcome = 'missed';

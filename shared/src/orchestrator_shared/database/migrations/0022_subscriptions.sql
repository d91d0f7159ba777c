-- Runs that take or wait longer than their subscribers want: from when on, and timers that outlive their replica.
ALTER TABLE catalog.subscriptions
    ADD COLUMN percent integer,
    ADD COLUMN minutes integer,
    ADD COLUMN changed_at timestamptz,
    ADD COLUMN automatic boolean NOT NULL DEFAULT false;
UPDATE catalog.subscriptions SET changed_at = created_at;
-- A subscription that was made along with its orchestration, and nobody has changed since.
UPDATE catalog.subscriptions s SET automatic = true
FROM catalog.configurations c
WHERE (c.project, c.component, c.id) = (s.project, 'orchestrator', s.orchestration) AND s.event = 'error'
    AND s.created_at - c.created_at BETWEEN interval '-5 s' AND interval '5 s'
    AND (SELECT count(*) FROM catalog.subscriptions o
         WHERE (o.project, o.orchestration) = (s.project, s.orchestration)) = 1;
ALTER TABLE catalog.subscriptions
    ALTER COLUMN changed_at SET DEFAULT clock_timestamp(),
    ALTER COLUMN changed_at SET NOT NULL,
    ADD CONSTRAINT subscriptions_percent CHECK (percent IS NULL OR (event = 'processing_long' AND percent BETWEEN 1 AND 10000)),
    ADD CONSTRAINT subscriptions_minutes CHECK (minutes IS NULL OR (event = 'waiting_long' AND minutes BETWEEN 1 AND 43200));
COMMENT ON COLUMN catalog.subscriptions.percent IS 'how much longer than the mean; null, as the version before writes it: 20';
COMMENT ON COLUMN catalog.subscriptions.minutes IS 'how long a wait is too long; null, as the version before writes it: 30';
COMMENT ON COLUMN catalog.subscriptions.automatic IS
    'of the creator, made with the orchestration: stays where no document and no request says who is notified';
COMMENT ON COLUMN catalog.subscriptions.changed_at IS 'since when it is as it is: a run that was over by then is not told of';

-- Nothing makes this event, and it cannot be asked for any more.
DELETE FROM catalog.subscriptions WHERE event = 'deadline_missed';

CREATE OR REPLACE VIEW catalog.subscriptions_v1 AS
SELECT id, project, orchestration, event, channel, address,
       CASE event WHEN 'processing_long' THEN coalesce(percent, 20) END AS percent,
       CASE event WHEN 'waiting_long' THEN coalesce(minutes, 30) END AS minutes,
       changed_at
FROM catalog.subscriptions;

-- Until now nothing wrote timers.
ALTER TABLE notifications.timers DROP COLUMN project, DROP COLUMN event, ADD COLUMN subscription_id uuid NOT NULL;
COMMENT ON TABLE notifications.timers IS
    'when to look whether a run is late for one subscription; judged by the job''s own times, so that it does not matter when';

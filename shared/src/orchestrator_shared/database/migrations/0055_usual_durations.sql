-- How long a configuration usually takes is asked for every task of a run at once: the last 20 successes of each, without
-- looking at what else there was. Nothing is wrong while services of the version before still run.
CREATE INDEX jobs_succeeded ON jobs.jobs (lane_id, seq DESC) INCLUDE (started_at, finished_at)
    WHERE status = 'success' AND full_run IS DISTINCT FROM false AND started_at IS NOT NULL;

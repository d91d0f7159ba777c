-- The previous success of a run is the last one of an earlier instant: retries and backfills come later in the line.
CREATE INDEX jobs_successful_runs ON jobs.jobs (lane_id, scheduled_for) WHERE kind = 'run' AND status = 'success';

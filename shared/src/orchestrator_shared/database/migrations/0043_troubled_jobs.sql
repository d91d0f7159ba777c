-- Jobs that did not end well are few, and people look for them: an entry is written when such a job ends.
CREATE INDEX jobs_troubled ON jobs.jobs (project, accepted_at DESC, id DESC)
    WHERE status IN ('warning', 'error', 'cancelled', 'terminated');

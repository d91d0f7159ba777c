-- The jobs of a project by when they finished. An entry is written once for each job, when it ends, and at the end of
-- the index. The expression keeps the planner from the index of ends in all projects, where others' jobs may stand
-- before those of the project. Nothing is wrong while services of the version before still run.
CREATE INDEX jobs_finished_in_project ON jobs.jobs (project, (finished_at AT TIME ZONE 'UTC') DESC, id DESC)
    WHERE finished_at IS NOT NULL;

-- A lane belongs to exactly one configuration: jobs_of_configuration said the same as the unique (lane_id, seq). Each
-- version of a job's row is an entry in both, on a page of its configuration's own: with a long history these two were
-- two thirds of what fifty runs write to the log after a checkpoint. Now one third is gone; the other is the constraint.
-- Nothing is wrong while services of the version before still run: they find the jobs of a configuration more slowly.
CREATE VIEW jobs.lanes_v1 AS SELECT id, project, component, configuration FROM jobs.lanes;
COMMENT ON VIEW jobs.lanes_v1 IS 'jobs of a configuration are found by their lane, in the order of their numbers';
DROP INDEX jobs.jobs_of_configuration;

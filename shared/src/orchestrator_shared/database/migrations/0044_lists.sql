-- What lists are found by. Nothing is wrong while services of the version before still run.
CREATE INDEX shares_with ON catalog.shares (shared_with, project, bucket);
CREATE INDEX deliveries_of_orchestration
    ON notifications.deliveries (project, orchestration, created_at DESC, id DESC);
CREATE INDEX tokens_of_project ON catalog.tokens (project, id);
DROP INDEX catalog.tokens_project;

-- Lists of orchestrations and configurations in the order of their names. Nothing is wrong while services of the version
-- before still run.
CREATE INDEX configurations_by_name ON catalog.configurations (project, component, lower(name), id)
    WHERE deleted_at IS NULL;

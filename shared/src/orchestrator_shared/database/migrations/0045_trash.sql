-- The trash: who moved a configuration there, and which ones are gone for good. A purged configuration keeps its row,
-- because schedules, triggers and their history refer to it, and so that the numbers of its versions go on when its id is
-- used again.
ALTER TABLE catalog.configurations
    ADD COLUMN deleted_by text,
    ADD COLUMN purged_at timestamptz;
COMMENT ON COLUMN catalog.configurations.deleted_by IS 'who moved it to the trash; null if the release before this one did';
COMMENT ON COLUMN catalog.configurations.purged_at IS 'while deleted: its versions are gone, but for an empty one';
CREATE INDEX configurations_trash ON catalog.configurations (project, deleted_at DESC)
    WHERE deleted_at IS NOT NULL AND purged_at IS NULL;

CREATE OR REPLACE VIEW catalog.configurations_v1 AS
SELECT project, component, id, name, enabled, version, deleted_at, created_at FROM catalog.configurations;
COMMENT ON COLUMN catalog.configurations_v1.created_at IS 'what was made before belongs to a purged one of the same id';

-- Lists of orchestrations and configurations in the order of their last versions. A trigger keeps the time beside the
-- configuration, so that the release before this one keeps it, too.
ALTER TABLE catalog.configurations ADD COLUMN updated_at timestamptz NOT NULL DEFAULT clock_timestamp();
COMMENT ON COLUMN catalog.configurations.updated_at IS 'when the current version was saved';
UPDATE catalog.configurations c SET updated_at = v.created_at
FROM catalog.configuration_versions v
WHERE (v.project, v.component, v.configuration, v.version) = (c.project, c.component, c.id, c.version);

CREATE FUNCTION catalog.note_saved_versions() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE catalog.configurations c SET updated_at = latest.at
    FROM (SELECT s.project, s.component, s.configuration, max(s.created_at) AS at
          FROM saved s GROUP BY s.project, s.component, s.configuration) latest
    WHERE (c.project, c.component, c.id) = (latest.project, latest.component, latest.configuration);
    RETURN NULL;
END $$;
CREATE TRIGGER note_saved_versions AFTER INSERT ON catalog.configuration_versions
REFERENCING NEW TABLE AS saved FOR EACH STATEMENT EXECUTE FUNCTION catalog.note_saved_versions();

CREATE INDEX configurations_by_update ON catalog.configurations (project, component, updated_at, id)
    WHERE deleted_at IS NULL;

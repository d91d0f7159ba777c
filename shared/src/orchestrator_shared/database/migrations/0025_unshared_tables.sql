-- Tables of a bucket that is no longer shared leave their triggers: the watcher then neither counts nor records their
-- updates. They wait here, to be shown, and come back when the bucket is shared again.
CREATE TABLE catalog.unshared_tables (
    trigger_id uuid NOT NULL REFERENCES catalog.triggers,
    table_project text NOT NULL,
    table_name text NOT NULL,
    PRIMARY KEY (trigger_id, table_project, table_name)
);
COMMENT ON TABLE catalog.unshared_tables IS 'tables that a trigger selects and may not hear of: their bucket is not shared any more';
CREATE INDEX unshared_tables_table ON catalog.unshared_tables (table_project, table_name);

WITH taken AS (
    DELETE FROM catalog.trigger_tables x
    USING catalog.triggers t
    WHERE t.id = x.trigger_id AND x.table_project <> t.project
      AND NOT EXISTS (SELECT FROM catalog.shares s
                      WHERE (s.project, s.shared_with) = (x.table_project, t.project)
                        AND s.bucket = regexp_replace(x.table_name, '\.[^.]*$', ''))
    RETURNING x.trigger_id, x.table_project, x.table_name
), kept AS (
    INSERT INTO catalog.unshared_tables SELECT trigger_id, table_project, table_name FROM taken
)
UPDATE catalog.triggers SET enabled = false, version = version + 1, updated_at = clock_timestamp()
WHERE id IN (SELECT trigger_id FROM taken) AND deleted_at IS NULL;

-- Every saved version of a trigger, in the order in which it stands among the updates and the run starts. The watcher
-- judges them one by one, however late it looks.

CREATE TABLE triggers.saved_versions (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    trigger_id uuid NOT NULL,
    at timestamptz,
    judged boolean NOT NULL DEFAULT false,
    project text,
    orchestration text,
    name text,
    version integer,
    reset_count integer,
    enabled boolean,
    cool_down_seconds integer,
    mode text,
    deleted boolean,
    tables jsonb
);
COMMENT ON TABLE triggers.saved_versions IS 'what was saved, switched, reset or deleted; filled in as its transaction commits';
COMMENT ON COLUMN triggers.saved_versions.at IS 'null until the commit: in a committed row it never is';
COMMENT ON COLUMN triggers.saved_versions.tables IS '[{project, name, last_seq}]: a table that is new to the trigger begins at last_seq';
CREATE INDEX saved_versions_unjudged ON triggers.saved_versions (trigger_id, number) WHERE NOT judged;
CREATE INDEX saved_versions_in_commit ON triggers.saved_versions (trigger_id) WHERE at IS NULL;
CREATE INDEX saved_versions_age ON triggers.saved_versions (at) WHERE judged;
CREATE INDEX saved_versions_trigger ON triggers.saved_versions (trigger_id, number DESC);

CREATE FUNCTION triggers.note_saved_trigger() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO triggers.saved_versions (trigger_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE FUNCTION triggers.note_switched_orchestration() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO triggers.saved_versions (trigger_id)
    SELECT t.id FROM catalog.triggers t
    WHERE (t.project, t.component, t.orchestration) = (NEW.project, NEW.component, NEW.id) AND t.deleted_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER note_saved_trigger AFTER INSERT OR UPDATE ON catalog.triggers
FOR EACH ROW EXECUTE FUNCTION triggers.note_saved_trigger();
CREATE TRIGGER note_switched_orchestration AFTER UPDATE OF enabled, deleted_at ON catalog.configurations
FOR EACH ROW WHEN (NEW.component = 'orchestrator'
    AND (OLD.enabled, OLD.deleted_at IS NULL) IS DISTINCT FROM (NEW.enabled, NEW.deleted_at IS NULL))
EXECUTE FUNCTION triggers.note_switched_orchestration();

-- At the commit of whatever saved: locks tables, then triggers, in the order in which the watcher locks them, and only
-- then reads the clock and the tables' last numbers. An update is thus either heard before the save, and in last_seq,
-- or after it. A new trigger gets its state, of version 0: from then on, whatever happens can lock it.
CREATE FUNCTION triggers.stamp_saved_versions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM triggers.saved_versions v WHERE v.at IS NULL) THEN
        RETURN NULL;  -- stamped for another row of this transaction; those of other transactions are not seen
    END IF;
    INSERT INTO triggers.tables AS t (project, name)
    SELECT selected.table_project, selected.table_name
    FROM (SELECT DISTINCT x.table_project, x.table_name
          FROM triggers.saved_versions v JOIN catalog.trigger_tables x ON x.trigger_id = v.trigger_id
          WHERE v.at IS NULL) selected
    ORDER BY selected.table_project COLLATE "C", selected.table_name COLLATE "C"
    ON CONFLICT (project, name) DO UPDATE SET last_seq = t.last_seq;
    INSERT INTO triggers.states
        (trigger_id, project, orchestration, name, version, reset_count, enabled, cool_down_seconds, mode)
    SELECT t.id, t.project, t.orchestration, t.name, 0, 0, false, t.cool_down_seconds, t.mode
    FROM catalog.triggers_v1 t
    WHERE t.id IN (SELECT v.trigger_id FROM triggers.saved_versions v WHERE v.at IS NULL)
        AND NOT EXISTS (SELECT FROM triggers.states s WHERE s.trigger_id = t.id)
    ORDER BY t.id
    ON CONFLICT (trigger_id) DO NOTHING;
    PERFORM 1 FROM triggers.states s
    WHERE s.trigger_id IN (SELECT v.trigger_id FROM triggers.saved_versions v WHERE v.at IS NULL)
    ORDER BY s.trigger_id FOR UPDATE;
    UPDATE triggers.saved_versions v
    SET at = clock_timestamp(), project = t.project, orchestration = t.orchestration, name = t.name,
        version = t.version, reset_count = t.reset_count, enabled = t.enabled, cool_down_seconds = t.cool_down_seconds,
        mode = t.mode, deleted = t.deleted_at IS NOT NULL, tables = t.tables
    FROM triggers.saved_now t
    WHERE v.at IS NULL AND t.id = v.trigger_id;
    RETURN NULL;
END $$;

CREATE VIEW triggers.saved_now AS
SELECT t.id, t.project, t.orchestration, t.name, t.version, t.reset_count, t.enabled, t.cool_down_seconds, t.mode,
       t.deleted_at,
       coalesce((SELECT jsonb_agg(jsonb_build_object('project', x.table_project, 'name', x.table_name,
                                                     'last_seq', coalesce(heard.last_seq, 0)))
                 FROM catalog.trigger_tables x
                 LEFT JOIN triggers.tables heard ON (heard.project, heard.name) = (x.table_project, x.table_name)
                 WHERE x.trigger_id = t.id), '[]'::jsonb) AS tables
FROM catalog.triggers_v1 t;

CREATE CONSTRAINT TRIGGER stamp_saved_versions AFTER INSERT ON triggers.saved_versions
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.at IS NULL) EXECUTE FUNCTION triggers.stamp_saved_versions();

-- What was saved before this migration: judged already where the watcher knows this very version.
INSERT INTO triggers.saved_versions (trigger_id, at, judged, project, orchestration, name, version, reset_count, enabled,
                                     cool_down_seconds, mode, deleted, tables)
SELECT t.id, clock_timestamp(), s.trigger_id IS NOT NULL, t.project, t.orchestration, t.name, t.version, t.reset_count,
       t.enabled, t.cool_down_seconds, t.mode, t.deleted_at IS NOT NULL, t.tables
FROM triggers.saved_now t
LEFT JOIN triggers.states s
    ON s.trigger_id = t.id AND (s.version, s.reset_count, s.enabled) = (t.version, t.reset_count, t.enabled)
ORDER BY t.id;

INSERT INTO triggers.states
    (trigger_id, project, orchestration, name, version, reset_count, enabled, cool_down_seconds, mode)
SELECT t.id, t.project, t.orchestration, t.name, 0, 0, false, t.cool_down_seconds, t.mode
FROM triggers.saved_now t
ON CONFLICT (trigger_id) DO NOTHING;

CREATE VIEW triggers.saved_versions_v1 AS
SELECT number, trigger_id, at, version, reset_count, enabled, cool_down_seconds, mode, deleted FROM triggers.saved_versions;

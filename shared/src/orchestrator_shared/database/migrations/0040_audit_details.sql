-- Who did something from where, in which request, and what changed. The previous release writes and reads none of it.

ALTER TABLE catalog.audit
    ADD COLUMN actor_kind text,
    ADD COLUMN actor_id uuid,
    ADD COLUMN subject_kind text,
    ADD COLUMN subject_id text,
    ADD COLUMN changes jsonb,
    ADD COLUMN omitted_changes integer,
    ADD COLUMN address text,
    ADD COLUMN request_id text;
COMMENT ON COLUMN catalog.audit.actor_kind IS 'person, token, job, system or unknown; null in records of earlier releases';
COMMENT ON COLUMN catalog.audit.actor_id IS 'of the person, token or job';
COMMENT ON COLUMN catalog.audit.subject_id IS 'where the subject is a name that may change or appear again';
COMMENT ON COLUMN catalog.audit.changes IS 'before and after by path, with secrets masked';
COMMENT ON COLUMN catalog.audit.omitted_changes IS 'how many changes more there were';

CREATE INDEX audit_actor ON catalog.audit (project, actor, at DESC, id DESC);
CREATE INDEX audit_action ON catalog.audit (project, action, at DESC, id DESC);
CREATE INDEX audit_subject ON catalog.audit (project, subject, at DESC, id DESC);
CREATE INDEX audit_request ON catalog.audit (project, request_id) WHERE request_id IS NOT NULL;
-- IS NULL is no equality for the planner: with the indexes above, it would sort all records of the installation.
CREATE INDEX audit_of_instance ON catalog.audit (at DESC, id DESC) WHERE project IS NULL;
CREATE INDEX audit_age ON catalog.audit USING brin (at) WITH (pages_per_range = 32);

-- Records are added and forgotten, never changed. Only forget_audit deletes any before they are two years old, and the
-- previous release deletes those that are older. Who owns the table passes for forget_audit: they could drop the trigger.
CREATE FUNCTION catalog.refuse_audit_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.at < clock_timestamp() - interval '2 years' OR (
            current_setting('orchestrator.forgets_audit', true) = 'on'
            AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)
        ) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'insufficient_privilege', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME,
        MESSAGE = format('the audit log is append-only: %s is refused', TG_OP),
        HINT = 'Old records are deleted by catalog.forget_audit, after ORCHESTRATOR_AUDIT_RETENTION_DAYS.';
END $$;
REVOKE ALL ON FUNCTION catalog.refuse_audit_change() FROM public;

CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON catalog.audit
FOR EACH ROW EXECUTE FUNCTION catalog.refuse_audit_change();
CREATE TRIGGER audit_not_truncated BEFORE TRUNCATE ON catalog.audit
FOR EACH STATEMENT EXECUTE FUNCTION catalog.refuse_audit_change();

-- Whoever may call this may not erase what happened lately: at least 30 days are kept, whatever is asked.
CREATE FUNCTION catalog.forget_audit(days integer, batch integer) RETURNS SETOF uuid
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET orchestrator.forgets_audit = 'on'
AS $$
    DELETE FROM catalog.audit WHERE id IN (
        SELECT id FROM catalog.audit
        WHERE at < now() - make_interval(days => greatest(days, 30)) LIMIT batch)
    RETURNING id
$$;
REVOKE ALL ON FUNCTION catalog.forget_audit(integer, integer) FROM public;

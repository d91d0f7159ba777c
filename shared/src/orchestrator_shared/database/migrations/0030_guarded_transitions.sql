-- No statement, whoever's it is, writes a transition that orchestrator_shared.domain.statuses does not have; a test
-- compares the pairs below with that table. AFTER, because a BEFORE trigger locks every row once more; the pairs stand in
-- WHEN, so that the function is called for what it refuses and for nothing else.

CREATE FUNCTION jobs.refuse_transition() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'check_violation', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
        MESSAGE = format('%s.%s: %s cannot change from %s to %s', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_ARGV[0],
                         to_jsonb(OLD) ->> TG_ARGV[0], coalesce(to_jsonb(NEW) ->> TG_ARGV[0], 'nothing'));
END $$;
REVOKE ALL ON FUNCTION jobs.refuse_transition() FROM public;

CREATE TRIGGER jobs_transitions AFTER UPDATE OF status ON jobs.jobs
FOR EACH ROW WHEN (OLD.status <> NEW.status AND NOT CASE OLD.status
    WHEN 'waiting' THEN NEW.status IN ('ready', 'error', 'cancelled', 'terminated')
    WHEN 'ready' THEN NEW.status IN ('processing', 'error', 'cancelled', 'terminated')
    WHEN 'processing' THEN NEW.status IN ('waiting', 'ready', 'terminating', 'success', 'warning', 'error', 'terminated')
    WHEN 'terminating' THEN NEW.status IN ('terminated', 'cancelled')
    ELSE false END)
EXECUTE FUNCTION jobs.refuse_transition('status');

CREATE TRIGGER tasks_transitions AFTER UPDATE OF status ON jobs.tasks
FOR EACH ROW WHEN (OLD.status <> NEW.status AND NOT CASE OLD.status
    WHEN 'pending' THEN NEW.status IN ('started', 'not_executed')
    WHEN 'started' THEN NEW.status IN ('success', 'warning', 'error', 'cancelled', 'terminated')
    ELSE false END)
EXECUTE FUNCTION jobs.refuse_transition('status');

-- An attempt ends once.
CREATE TRIGGER attempts_transitions AFTER UPDATE OF outcome ON jobs.attempts
FOR EACH ROW WHEN (OLD.outcome IS NOT NULL AND NEW.outcome IS DISTINCT FROM OLD.outcome)
EXECUTE FUNCTION jobs.refuse_transition('outcome');

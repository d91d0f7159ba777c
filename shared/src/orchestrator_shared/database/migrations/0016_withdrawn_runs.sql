-- A trigger's waiting run whose updates another run has used is withdrawn in the transaction that would start it, and
-- whatever ends a waiting run takes the lock of its trigger, so that its end and the updates have one order.

CREATE TABLE jobs.withdrawals (
    job_id uuid PRIMARY KEY REFERENCES jobs.jobs ON DELETE CASCADE,
    used_by uuid NOT NULL
);
COMMENT ON TABLE jobs.withdrawals IS 'runs cancelled because another full run had used all their updates, and which one';
CREATE VIEW jobs.withdrawals_v1 AS SELECT job_id, used_by FROM jobs.withdrawals;

CREATE INDEX states_pending ON triggers.states (pending_job_id) WHERE pending_job_id IS NOT NULL;

-- Called by the runner in the transaction that ends jobs which have not started. Whether a job has a trigger that waits
-- for it does not matter. Read the clock in a statement after it.
CREATE FUNCTION triggers.lock_waiting(in_jobs uuid[]) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM 1 FROM triggers.states s WHERE s.pending_job_id = ANY (in_jobs) ORDER BY s.trigger_id FOR UPDATE;
END $$;
REVOKE ALL ON FUNCTION triggers.lock_waiting(uuid[]) FROM public;

-- Called by the runner after begin_runs: for jobs that triggers asked for, when the newest of their updates was heard.
-- A full run that started later has used them all.
CREATE FUNCTION triggers.newest_updates(in_jobs uuid[]) RETURNS TABLE (job_id uuid, heard_at timestamptz)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT f.job_id, greatest(f.at, belonging.at)
    FROM triggers.fires f
    LEFT JOIN LATERAL (
        SELECT d.at FROM triggers.dispositions d
        WHERE d.trigger_id = f.trigger_id AND d.at >= f.at AND d.job_id = f.job_id
        ORDER BY d.at DESC LIMIT 1) belonging ON true
    WHERE f.job_id = ANY (in_jobs)
$$;
REVOKE ALL ON FUNCTION triggers.newest_updates(uuid[]) FROM public;

-- A function may set a parameter of ours only if a superuser made it so (0040), and who migrates need not be one. Within the
-- function it may be set by everybody; the trigger looks at the owner of the table besides.

CREATE OR REPLACE FUNCTION catalog.forget_audit(days integer, batch integer) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM set_config('orchestrator.forgets_audit', 'on', true);
    RETURN QUERY
        DELETE FROM catalog.audit WHERE id IN (
            SELECT id FROM catalog.audit
            WHERE at < now() - make_interval(days => greatest(days, 30)) LIMIT batch)
        RETURNING id;
    PERFORM set_config('orchestrator.forgets_audit', 'off', true);
END $$;

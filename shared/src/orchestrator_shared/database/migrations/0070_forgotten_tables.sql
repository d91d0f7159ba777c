-- Tables that nobody has updated for long, and that no trigger selects, are forgotten. One that comes back must go on
-- above every number that any table ever had: past runs remember how far they used each table.
CREATE TABLE triggers.forgotten (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    last_seq bigint NOT NULL
);
COMMENT ON TABLE triggers.forgotten IS 'the largest number of a forgotten table: where new tables begin';
INSERT INTO triggers.forgotten (last_seq) VALUES (0);

CREATE FUNCTION triggers.first_number() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT last_seq FROM triggers.forgotten
$$;
REVOKE ALL ON FUNCTION triggers.first_number() FROM public;
ALTER TABLE triggers.tables ALTER COLUMN last_seq SET DEFAULT triggers.first_number();

-- What is deleted is shown no more; these few rows are looked for every hour.
CREATE INDEX schedules_deleted ON catalog.schedules (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX triggers_deleted ON catalog.triggers (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX states_deleted ON triggers.states (deleted_at) WHERE deleted_at IS NOT NULL;

-- Which replica of a service does what one of them is enough for, such as measuring tables. The other services measure
-- nothing that needs a turn. Nothing is wrong while services of the version before still run: they know of no turns.
CREATE TABLE jobs.turns (
    what text PRIMARY KEY,
    holder uuid NOT NULL,
    until timestamptz NOT NULL
);
COMMENT ON TABLE jobs.turns IS 'one row for each thing that one replica does for all; whoever holds it renews it';
CREATE TABLE triggers.turns (LIKE jobs.turns INCLUDING ALL);

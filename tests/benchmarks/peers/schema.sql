CREATE TABLE peer_runs (
    id uuid PRIMARY KEY,
    sizes integer[] NOT NULL,
    phase integer NOT NULL DEFAULT 0,
    remaining integer NOT NULL,
    finished_at timestamptz
);
CREATE TABLE peer_tasks (
    run uuid NOT NULL REFERENCES peer_runs,
    phase integer NOT NULL,
    task integer NOT NULL,
    finished_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run, phase, task)
);

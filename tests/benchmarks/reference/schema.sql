CREATE TABLE runs (
    id uuid PRIMARY KEY,
    sizes integer[] NOT NULL,
    body text NOT NULL,
    phase integer NOT NULL,
    remaining integer NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz
);
CREATE TABLE tasks (
    run uuid NOT NULL REFERENCES runs,
    phase integer NOT NULL,
    task integer NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    executions integer NOT NULL DEFAULT 0,
    PRIMARY KEY (run, phase, task)
);
CREATE TABLE inbox (
    message uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);

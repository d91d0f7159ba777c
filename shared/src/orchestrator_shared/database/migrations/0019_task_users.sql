-- Each project's tasks run as a user of their own where the runner may change users.
CREATE TABLE jobs.task_users (
    project text PRIMARY KEY,
    number integer NOT NULL GENERATED ALWAYS AS IDENTITY (MINVALUE 0 START WITH 0) UNIQUE
);
COMMENT ON TABLE jobs.task_users IS 'the number of a project''s user in ORCHESTRATOR_TASK_UIDS; kept, since files are its';

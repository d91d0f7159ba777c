-- People have roles in projects; accounts can be disabled.

ALTER TABLE catalog.people ADD COLUMN disabled_at timestamptz;
COMMENT ON COLUMN catalog.people.disabled_at IS 'since when neither a session nor a token of this person is valid';

ALTER TABLE catalog.members
    ADD COLUMN may_run boolean NOT NULL DEFAULT false,
    ADD COLUMN created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD CONSTRAINT members_may_run_check CHECK (NOT may_run OR role = 'viewer');
COMMENT ON COLUMN catalog.members.may_run IS 'a viewer who may run, retry, terminate, and switch on and off';
CREATE INDEX members_person ON catalog.members (person_id);

-- People sign in with a password and stay signed in by a session, whose secret is stored hashed.

ALTER TABLE catalog.people ADD COLUMN password_hash text;
COMMENT ON COLUMN catalog.people.password_hash IS 'argon2id; null: the person has not chosen a password yet';

CREATE TABLE catalog.sessions (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES catalog.people,
    secret_hash bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    address text NOT NULL,
    user_agent text NOT NULL
);
CREATE INDEX sessions_person ON catalog.sessions (person_id);
CREATE INDEX sessions_last_seen ON catalog.sessions (last_seen_at);

CREATE TABLE catalog.sign_in_attempts (
    account bytea PRIMARY KEY,
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    next_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN catalog.sign_in_attempts.account IS
    'SHA-256 of the address that was typed in, so that unknown accounts are slowed down like known ones';
CREATE INDEX sign_in_attempts_updated ON catalog.sign_in_attempts (updated_at);

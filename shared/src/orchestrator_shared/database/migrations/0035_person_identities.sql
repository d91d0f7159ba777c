-- People may sign in with an identity provider (OpenID Connect), and have the roles of their groups there.

CREATE TABLE catalog.person_identities (
    issuer text NOT NULL,
    subject text NOT NULL,
    person_id uuid NOT NULL UNIQUE REFERENCES catalog.people,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (issuer, subject)
);
COMMENT ON TABLE catalog.person_identities IS 'who a person is at the identity provider; one identity for each';

ALTER TABLE catalog.members
    ADD COLUMN source text NOT NULL DEFAULT 'manual' CHECK (source IN ('manual', 'provider'));
COMMENT ON COLUMN catalog.members.source IS 'provider: from the person''s groups, decided anew at each sign-in';

ALTER TABLE catalog.people
    ADD COLUMN administers_by_provider boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN catalog.people.administers_by_provider IS
    'is an instance administrator because of their groups, decided anew at each sign-in';

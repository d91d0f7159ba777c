-- Links that set a password. Their text is nowhere: api and notifier derive it from id, purpose and expiry.

CREATE TABLE catalog.person_links (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES catalog.people,
    purpose text NOT NULL CHECK (purpose IN ('invite', 'reset', 'first')),
    project text REFERENCES catalog.projects,
    invited_by uuid REFERENCES catalog.people,
    expires_at timestamptz NOT NULL CHECK (expires_at = date_trunc('second', expires_at)),
    used_at timestamptz,
    mail_requested_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN catalog.person_links.project IS 'that the person was invited to';
COMMENT ON COLUMN catalog.person_links.used_at IS 'a link works once; the first one that is used ends all others of its person';
COMMENT ON COLUMN catalog.person_links.mail_requested_at IS 'null: it was shown to an administrator instead';
CREATE INDEX person_links_person ON catalog.person_links (person_id);
CREATE INDEX person_links_expires ON catalog.person_links (expires_at);

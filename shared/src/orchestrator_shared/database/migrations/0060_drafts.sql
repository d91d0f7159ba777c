-- Drafts of the tasks of orchestrations. A draft belongs to one person or token, and ends with the version that it began
-- from: purging an orchestration removes its drafts. Nothing is wrong while services of the version before still run.
CREATE TABLE catalog.drafts (
    project text NOT NULL,
    orchestration text NOT NULL,
    owner uuid NOT NULL,
    component text NOT NULL DEFAULT 'orchestrator' CHECK (component = 'orchestrator'),
    base_version integer NOT NULL,
    revision integer NOT NULL DEFAULT 1 CHECK (revision > 0),
    position integer NOT NULL DEFAULT 0 CHECK (position >= 0),
    kept text[] NOT NULL DEFAULT '{}' CHECK (cardinality(kept) <= 1000),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (project, orchestration, owner),
    FOREIGN KEY (project, component, orchestration, base_version)
        REFERENCES catalog.configuration_versions (project, component, configuration, version) ON DELETE CASCADE
);
COMMENT ON COLUMN catalog.drafts.owner IS 'the id of the person, or of the token of a program';
COMMENT ON COLUMN catalog.drafts.revision IS 'goes up with every change, so that a stale one is noticed';
COMMENT ON COLUMN catalog.drafts.position IS 'of the present state; those after it can be done again';
COMMENT ON COLUMN catalog.drafts.kept IS 'warnings that were looked at and are kept';
CREATE INDEX drafts_owner ON catalog.drafts (project, owner);
CREATE INDEX drafts_updated ON catalog.drafts (updated_at);

CREATE TABLE catalog.draft_states (
    project text NOT NULL,
    orchestration text NOT NULL,
    owner uuid NOT NULL,
    position integer NOT NULL CHECK (position >= 0),
    definition json NOT NULL CHECK (json_typeof(definition) = 'object'),
    words text NOT NULL CHECK (length(words) <= 1000),
    bytes integer NOT NULL CHECK (bytes BETWEEN 0 AND 33554432),
    PRIMARY KEY (project, orchestration, owner, position),
    FOREIGN KEY (project, orchestration, owner) REFERENCES catalog.drafts ON DELETE CASCADE
);
COMMENT ON TABLE catalog.draft_states IS 'what a draft was, is, and can be again, in the form of a stored definition';
COMMENT ON COLUMN catalog.draft_states.words IS 'what the step to this state changed';
COMMENT ON COLUMN catalog.draft_states.bytes IS 'of the definition; a draft keeps at most 200 states and 32 MiB';
ALTER TABLE catalog.drafts ADD FOREIGN KEY (project, orchestration, owner, position)
    REFERENCES catalog.draft_states DEFERRABLE INITIALLY DEFERRED;

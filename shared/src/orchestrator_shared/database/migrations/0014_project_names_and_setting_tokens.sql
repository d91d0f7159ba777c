-- Project names without dots: a producer's permission for the keys of `a` also let through those of `a.b`. Projects
-- that have dots already keep them.
ALTER TABLE catalog.projects ADD COLUMN may_have_dots boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN catalog.projects.may_have_dots IS 'it was made when names could have dots';
UPDATE catalog.projects SET may_have_dots = true WHERE strpos(id, '.') > 0;
ALTER TABLE catalog.projects ADD CONSTRAINT projects_id_without_dots
    CHECK (strpos(id, '.') = 0 OR may_have_dots) NOT VALID;

-- A changed ORCHESTRATOR_ADMIN_TOKEN revokes the token that was made from it before, and no other. Until now every
-- administrator's token came from there.
ALTER TABLE catalog.tokens ADD COLUMN from_setting boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN catalog.tokens.from_setting IS 'made from ORCHESTRATOR_ADMIN_TOKEN at a start of the api';
UPDATE catalog.tokens SET from_setting = true WHERE kind = 'person' AND project IS NULL;

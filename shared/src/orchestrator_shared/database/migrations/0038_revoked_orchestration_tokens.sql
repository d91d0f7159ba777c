-- The runner refuses what the token of an orchestration may not run, or no longer.

CREATE OR REPLACE VIEW catalog.orchestration_tokens_v1 AS
SELECT o.project, o.orchestration, o.token_id, t.scopes, t.components, t.revoked_at
FROM catalog.orchestration_tokens o JOIN catalog.tokens t ON t.id = o.token_id;

-- name: forget_tokens
-- Those that can never be used again. A token of ORCHESTRATOR_ADMIN_TOKEN stays: its value must not work a second time.
DELETE FROM catalog.tokens WHERE id IN (
    SELECT t.id FROM catalog.tokens t
    WHERE least(t.revoked_at, t.expires_at) < clock_timestamp() - make_interval(days => $days) AND NOT t.from_setting
      AND NOT EXISTS (SELECT FROM catalog.orchestration_tokens o WHERE o.token_id = t.id)
    LIMIT $batch)

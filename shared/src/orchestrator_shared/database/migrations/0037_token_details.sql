-- What people need to tell tokens apart, and the buckets whose table updates a token may publish. The previous release
-- reads and writes `scopes` only; its scope `tables` reads as `publish` on every bucket.

ALTER TABLE catalog.tokens
    ADD COLUMN prefix text,
    ADD COLUMN description text NOT NULL DEFAULT '',
    ADD COLUMN created_by text,
    ADD COLUMN buckets text[] NOT NULL DEFAULT '{}',
    ADD COLUMN current_scopes text[] GENERATED ALWAYS AS (array_replace(scopes, 'tables', 'publish')) STORED,
    ADD COLUMN current_buckets text[] GENERATED ALWAYS AS (
        CASE WHEN 'tables' = ANY (scopes) THEN ARRAY['*'] ELSE buckets END) STORED;
COMMENT ON COLUMN catalog.tokens.prefix IS
    'the first characters of its text, up to where the secret begins; null for tokens of earlier releases and of settings';
COMMENT ON COLUMN catalog.tokens.created_by IS 'a person or a token, for display; null for tokens of earlier releases';
COMMENT ON COLUMN catalog.tokens.buckets IS 'of the scope publish: names, or * for all';

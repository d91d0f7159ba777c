-- What requests with a key were answered with, so that one that is sent twice is carried out once. Nothing is wrong while
-- services of the version before still run: they look at no key here.
CREATE TABLE catalog.keyed_answers (
    id uuid PRIMARY KEY,
    project text NOT NULL,
    request_digest bytea NOT NULL,
    answer json NOT NULL CHECK (json_typeof(answer) = 'object'),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN catalog.keyed_answers.id IS 'made from the project, whoever sent it, and the key';
COMMENT ON COLUMN catalog.keyed_answers.project IS 'empty for what belongs to the installation';
COMMENT ON COLUMN catalog.keyed_answers.answer IS 'what to say when it is sent again; never a secret';
CREATE INDEX keyed_answers_created ON catalog.keyed_answers (created_at);

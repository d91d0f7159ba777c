-- The table is one per service: {turns} stands for its schema-qualified name.

-- name: take
-- Returns a row only to the holder, or to the first one that asks after the holder was silent for too long.
INSERT INTO {turns} AS turn (what, holder, until)
VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
ON CONFLICT (what) DO UPDATE SET holder = excluded.holder, until = excluded.until
WHERE turn.holder = excluded.holder OR turn.until < clock_timestamp()
RETURNING true;

-- name: pass_on
DELETE FROM {turns} WHERE what = $1 AND holder = $2;

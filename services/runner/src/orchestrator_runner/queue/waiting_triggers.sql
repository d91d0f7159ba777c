-- Triggers that wait for a run: locked before it ends unstarted.

-- name: lock_waiting
-- The end of a run before its start (accepted as ended, refused, stopped) has one order with the updates of its trigger.
SELECT triggers.lock_waiting($1)

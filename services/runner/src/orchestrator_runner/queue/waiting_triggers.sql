-- Locks the triggers that wait for a run before it ends without having started.

-- name: lock_waiting
-- When a run ends before it starts (accepted as ended, refused or stopped), this orders its end among the
-- updates of its trigger.
SELECT triggers.lock_waiting($runs)

-- Two nested runs that fail under one root are two facts: who was told of one must hear of the other, too. The replica
-- of the version before says nothing here, so its mails go on being one per root and event.
ALTER TABLE notifications.deliveries ADD COLUMN subject text NOT NULL DEFAULT '';
COMMENT ON COLUMN notifications.deliveries.subject IS
    'what of the root run it is about: the ids of the tasks that lead to the run, with blanks between; of the root nothing';
DROP INDEX notifications.deliveries_once_per_root;
CREATE UNIQUE INDEX deliveries_once_per_subject
    ON notifications.deliveries (root_id, subject, event, channel, lower(recipient)) WHERE root_id IS NOT NULL;

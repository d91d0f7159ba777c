-- Sharing a bucket tells nobody which projects exist: a share with one that does not is kept as well, and holds
-- once it is made. The release before goes on refusing such shares by itself.
ALTER TABLE catalog.shares DROP CONSTRAINT shares_shared_with_fkey;

-- What the API, YAML and the notifier accept is what can be stored. Ten years are for ever to a scheduler.
UPDATE catalog.schedules SET catch_up_seconds = 316224000 WHERE catch_up_seconds > 316224000;
UPDATE catalog.triggers SET cool_down_seconds = 316224000 WHERE cool_down_seconds > 316224000;
ALTER TABLE catalog.schedules ADD CONSTRAINT schedules_catch_up_is_a_duration
    CHECK (catch_up_seconds <= 316224000);
ALTER TABLE catalog.triggers ADD CONSTRAINT triggers_cool_down_is_a_duration
    CHECK (cool_down_seconds <= 316224000);

-- Not of the rows that are there: nobody can say who was meant. They are shown and exported as they are.
ALTER TABLE catalog.subscriptions ADD CONSTRAINT subscriptions_have_mail_addresses CHECK (
    channel <> 'email' OR (length(address) <= 320 AND address ~
        '^[A-Za-z0-9!#$%&''*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&''*+/=?^_`{|}~-]+)*@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$')
) NOT VALID;

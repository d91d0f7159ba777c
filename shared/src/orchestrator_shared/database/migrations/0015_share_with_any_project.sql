-- Sharing a bucket tells nobody which projects exist: a share with one that does not is kept as well, and holds
-- once it is made. The release before goes on refusing such shares by itself.
ALTER TABLE catalog.shares DROP CONSTRAINT shares_shared_with_fkey;

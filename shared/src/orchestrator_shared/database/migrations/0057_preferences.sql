-- How a person wants to see the pages, in every browser. Null: not chosen, as it is for everyone at first; then it is for the
-- browser to say. Services of the version before leave the columns alone.
ALTER TABLE catalog.people
    ADD COLUMN theme text CHECK (theme IN ('system', 'light', 'dark')),
    ADD COLUMN timezone text CHECK (length(timezone) <= 100),
    ADD COLUMN single_keys boolean,
    ADD COLUMN page_size integer CHECK (page_size BETWEEN 1 AND 500);
COMMENT ON COLUMN catalog.people.single_keys IS 'whether single letters are shortcuts in the pages';

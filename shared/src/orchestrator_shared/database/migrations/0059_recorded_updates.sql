-- When tables were updated, for the api: the rhythm of a table follows from it.
CREATE VIEW triggers.updates_v1 AS SELECT project, table_name, seq, heard_at FROM triggers.updates;

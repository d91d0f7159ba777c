"""The scheduler's own tables, and its view of the catalog."""

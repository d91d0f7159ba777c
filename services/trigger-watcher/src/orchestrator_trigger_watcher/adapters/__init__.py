"""The trigger-watcher's own tables, and its views of the catalog and of jobs."""

"""What the trigger-watcher does: ingest updates, reconcile runs, follow the catalog, scan for lost hints."""

"""What the trigger-watcher does: hear updates, take note of runs, follow the catalog, look for lost hints."""

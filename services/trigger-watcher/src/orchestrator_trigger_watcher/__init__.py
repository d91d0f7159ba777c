"""The trigger-watcher service: starts runs when their tables have been updated."""

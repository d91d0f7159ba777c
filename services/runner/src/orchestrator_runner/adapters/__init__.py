"""I/O of the runner: SQL, processes, logs."""

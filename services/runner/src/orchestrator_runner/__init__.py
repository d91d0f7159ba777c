"""The runner service: executes phases of parallel tasks, one job per configuration at a time."""

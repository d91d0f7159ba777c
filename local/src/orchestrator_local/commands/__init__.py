"""The command groups `dev` and `demo` of `orchestrator`."""

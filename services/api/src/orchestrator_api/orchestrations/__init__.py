"""Orchestrations: their definition, the checks on it, and proposals for another arrangement."""

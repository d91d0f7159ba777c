"""Runs components as Kubernetes Jobs, one per attempt."""

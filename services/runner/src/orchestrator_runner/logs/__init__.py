"""Logs of jobs: captured, masked, stored."""

"""Starts, retries and stops runs, and reads jobs."""

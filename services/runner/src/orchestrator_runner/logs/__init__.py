"""Captures, masks and stores the logs of jobs."""

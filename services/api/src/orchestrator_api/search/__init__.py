"""Finds orchestrations, runs, configurations, tables and jobs by a few letters."""

"""Runs components that are programs on this host, through the keeper."""

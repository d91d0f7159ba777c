"""Watching a run until it ends, as a live tree or as plain lines."""

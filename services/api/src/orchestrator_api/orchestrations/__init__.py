"""Orchestrations: their definition, what is wrong with it, and other arrangements of it."""

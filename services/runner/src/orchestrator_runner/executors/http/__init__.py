"""Runs components that are behind HTTP."""

"""Triggers, and why they did or did not fire."""

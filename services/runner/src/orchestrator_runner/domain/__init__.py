"""Decisions of the engine: pure code over snapshots."""

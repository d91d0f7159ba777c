"""Schedules, their fires, previews and backfills."""

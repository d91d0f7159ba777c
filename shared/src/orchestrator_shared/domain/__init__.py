"""Ids, statuses and errors that two or more services speak of; nothing here does I/O."""

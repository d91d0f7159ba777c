"""Drafts: the tasks of an orchestration while a person edits them."""

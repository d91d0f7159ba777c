"""Pages about the tokens of a project."""

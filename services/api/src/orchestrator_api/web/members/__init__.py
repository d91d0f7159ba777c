"""Pages about the members of a project."""

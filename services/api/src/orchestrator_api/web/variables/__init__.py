"""Pages about the variables of a project."""

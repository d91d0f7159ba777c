"""Pages about configurations of components."""

"""Pages about orchestrations."""

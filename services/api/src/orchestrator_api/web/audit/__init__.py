"""Pages about who changed what."""

"""Projects and their variables."""

"""Dead letters, and callbacks of other services."""

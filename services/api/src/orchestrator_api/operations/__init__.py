"""What keeps an installation running: dead letters, and callbacks of other services."""

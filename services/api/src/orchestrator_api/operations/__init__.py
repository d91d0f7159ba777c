"""What keeps an installation running: dead letters, reports of other services."""

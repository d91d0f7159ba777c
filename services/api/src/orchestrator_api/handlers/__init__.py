"""What each request does, inside one transaction."""

"""What runs in the background: sending, and looking for lost events."""

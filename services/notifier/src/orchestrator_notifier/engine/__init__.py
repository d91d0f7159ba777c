"""What runs in the background: sending, looking for lost events, forgetting."""

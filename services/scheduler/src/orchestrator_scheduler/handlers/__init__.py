"""What the scheduler does: fire what is due, and follow the catalog."""

"""What the scheduler does: fire what is due, follow the catalog, forget what is old."""

"""Who is notified of what about an orchestration."""

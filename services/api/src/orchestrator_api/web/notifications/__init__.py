"""Who is notified of what, and the mails that were sent."""

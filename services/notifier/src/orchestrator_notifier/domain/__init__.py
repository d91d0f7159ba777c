"""Who is notified, of what, and when a mail is tried again: decisions without I/O."""

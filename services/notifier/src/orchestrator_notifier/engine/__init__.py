"""Background work: sending mails, and scanning for lost events."""

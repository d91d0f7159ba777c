"""Who holds a configuration, who waits for it and until when; what ending a job would change."""

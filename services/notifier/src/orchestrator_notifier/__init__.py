"""The notifier service: tells people by email how runs ended."""

"""The notifier service: notifies people by email of how runs ended."""

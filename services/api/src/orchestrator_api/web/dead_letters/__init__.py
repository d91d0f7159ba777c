"""Messages that no one could handle: for administrators."""

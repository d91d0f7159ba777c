"""People: accounts, and what they are in projects."""

"""Users, tokens, permissions and the audit log."""

"""People, tokens and what they may do; the audit."""

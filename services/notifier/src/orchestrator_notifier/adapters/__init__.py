"""PostgreSQL, SMTP and templates."""

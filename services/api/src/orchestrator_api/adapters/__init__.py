"""Input and output: the stores over PostgreSQL, each beside its named queries."""

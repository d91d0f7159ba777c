"""PostgreSQL: the pool, transactions, named queries, migrations and roles."""

"""Where in a database encrypted values lie: every column of every table is looked at."""

from tests.support.databases import Database

COLUMNS = """
SELECT table_schema AS schema, table_name AS table, column_name AS column
FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
"""


async def sealed_columns(database: Database, *, apart_from: str = "") -> dict[str, set[str]]:
    """The encrypted values of each column that has any."""
    found: dict[str, set[str]] = {}
    for schema, table, column in await database.fetch(COLUMNS):
        rows = await database.fetch(
            f'SELECT m[1] AS text FROM "{schema}"."{table}",'
            f""" regexp_matches("{column}"::text, $1, 'g') m""",
            r'(enc:v[12]:[^"\\]+)',
        )
        if texts := {row["text"] for row in rows} - {apart_from}:
            found[f"{schema}.{table}.{column}"] = texts
    return found


async def everything_in(database: Database) -> list[tuple[str, str]]:
    """Every value of every table as text, with the table and column."""
    tables = {(schema, table) for schema, table, _ in await database.fetch(COLUMNS)}
    return [
        (f"{schema}.{table}.{column}", value.decode("latin-1") if isinstance(value, bytes) else str(value))
        for schema, table in sorted(tables)
        for row in await database.fetch(f'SELECT * FROM "{schema}"."{table}"')
        for column, value in row.items()
        if value is not None
    ]

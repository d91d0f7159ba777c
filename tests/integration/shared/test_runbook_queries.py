"""The SQL in runbooks is valid on the current schema and changes nothing."""

import re
from pathlib import Path

from tests.support import documentation as docs
from tests.support.databases import Database

BLOCK = re.compile(r"^```sql\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def statements() -> list[tuple[Path, str]]:
    pages = sorted((docs.DOCS / "how-to/runbooks").glob("*.md"))
    return [(page, sql) for page in pages for sql in BLOCK.findall(page.read_text(encoding="utf-8"))]


async def test_every_statement_of_a_runbook_can_be_run(database: Database) -> None:
    assert len(statements()) > 8
    async with database.connection() as connection:
        await connection.execute("SET default_transaction_read_only = on")
        for page, sql in statements():
            try:
                await connection.execute(sql)
            except Exception as error:
                raise AssertionError(f"{page.name}: {error}\n{sql}") from error

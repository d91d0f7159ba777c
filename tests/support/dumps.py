"""Dumps and restores a test's database in place, with PostgreSQL's own programs as the guide tells people."""

import asyncio
import os
from pathlib import Path

import asyncpg
from tests.support import servers
from tests.support.databases import CONNECT_SECONDS, Database

from orchestrator_local.servers.postgres import find_binaries

PROGRAM_SECONDS = 60

PRIVILEGES = """
SELECT what || ' ' || CASE WHEN acl = '' THEN '' ELSE acl END AS line FROM (
    SELECT n.nspname || '.' || c.relname AS what,
           coalesce((SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(c.relacl) a), '') AS acl
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'v')
    UNION ALL
    SELECT n.nspname || '.' || c.relname || '.' || x.attname,
           (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(x.attacl) a)
    FROM pg_attribute x JOIN pg_class c ON c.oid = x.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE x.attacl IS NOT NULL
    UNION ALL
    SELECT n.nspname || '.' || p.proname || '()',
           coalesce((SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(p.proacl) a), '')
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
) AS privileges
WHERE what ~ '^(catalog|triggers|jobs|scheduler|notifications|orchestrator_migrations)[.]' ORDER BY 1
"""


async def privileges(database: Database) -> list[str]:
    """Who may do what with our tables, columns and functions."""
    return [row["line"] for row in await database.fetch(PRIVILEGES)]


async def dump(database: Database, file: Path) -> None:
    """One consistent moment, however busy the database is."""
    await _call("pg_dump", "--format=custom", f"--file={file}", database.url)


async def restore(database: Database, file: Path) -> None:
    """Into a new database of the same name; whoever was connected to the old one is thrown out."""
    admin = await asyncpg.connect(servers.postgres().url, timeout=CONNECT_SECONDS)
    try:
        await admin.execute(f'DROP DATABASE "{database.name}" WITH (FORCE)')
        await admin.execute(f'CREATE DATABASE "{database.name}" TEMPLATE template0')
    finally:
        await admin.close(timeout=5)
    safely = ("--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges")
    await _call("pg_restore", *safely, f"--dbname={database.url}", str(file))


async def _call(program: str, *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        str(find_binaries() / program),
        *arguments,
        env={"PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(PROGRAM_SECONDS):
        output, _ = await process.communicate()
    assert process.returncode == 0, f"{program}: {output.decode()}"

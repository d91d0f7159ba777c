"""Components sql-transformation and csv-writer against a real PostgreSQL."""

import asyncio
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import asyncpg
import pytest

from orchestrator_local.servers.postgres import find_binaries

if TYPE_CHECKING:
    from tests.integration.components.conftest import Outcome, Starter

    Connection = asyncpg.Connection[asyncpg.Record]

CREATE = 'CREATE TABLE "out.c-x".t AS SELECT n FROM generate_series(1, 3) n'
SLEEPING = """FROM pg_stat_activity
WHERE datname = current_database() AND query LIKE 'SELECT pg_sleep%' AND state = 'active'"""


@pytest.fixture
def transform(starter: "Starter", warehouse_url: str) -> Any:
    def run(statements: object, *output_tables: str) -> "Outcome":
        parameters = {"statements": statements, "output_tables": output_tables, "#connection": warehouse_url}
        return starter.run("sql_transformation", parameters)

    return run


@pytest.fixture
def write(starter: "Starter", warehouse_url: str, tmp_path: Path) -> Any:
    (tmp_path / "files").mkdir()

    def run(*, inside: bool = True, **parameters: str) -> "Outcome":
        environment = {"ORCHESTRATOR_FILES_DIR": str(tmp_path / "files")} if inside else {}
        return starter.run("csv_writer", {"#connection": warehouse_url, **parameters}, **environment)

    return run


async def test_statements_run_and_tables_are_counted(transform: Any, warehouse: "Connection") -> None:
    outcome = transform([CREATE, 'DELETE FROM "out.c-x".t WHERE n = 1'], "out.c-x.t")

    assert outcome.code == 0, outcome.log
    assert outcome.result == {
        "message": "2 statements done; out.c-x.t has 2 rows",
        "output_tables": [{"table": "out.c-x.t", "rows": 2}],
    }
    assert await warehouse.fetchval('SELECT sum(n) FROM "out.c-x".t') == 5


def test_one_text_may_hold_several_statements_and_notices_are_logged(transform: Any) -> None:
    outcome = transform("DO $$ BEGIN RAISE NOTICE 'halfway'; END $$; SELECT 1; SELECT 2")

    assert outcome.code == 0, outcome.log
    assert "NOTICE: halfway" in outcome.log


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (
            ["SELECT 1", "SELECT\n  nme FROM (SELECT 1 AS name) s"],
            'statement 2, line 2, column 3: column "nme" does not',
        ),
        (["SELECT 1;\nSELEC 2"], 'statement 1, line 2, column 1: syntax error at or near "SELEC"'),
        (["SELECT 1/0"], "statement 1: division by zero"),
        (["SELECT 1; COMMIT; BEGIN"], "parameters.statements: statement 1: COMMIT is not allowed"),
        (["SELECT 1;\nROLLBACK"], "parameters.statements: statement 1, line 2: ROLLBACK is not allowed"),
        (["COMMIT"], "parameters.statements: statement 1: COMMIT is not allowed"),
        (["VACUUM"], "statement 1: VACUUM cannot run inside a transaction block"),
        (["  "], "parameters.statements: statement 1 is empty"),
        ([], "parameters.statements: must have at least 1 entry"),
        (
            ["SET statement_timeout = 20; SELECT pg_sleep(60)"],
            "statement 1: canceling statement due to statement timeout",
        ),
        (
            ["SELECT '\ud800'"],
            "parameters.statements.0: must be valid Unicode text",
        ),
        (["/* never closed\nSELECT 1"], "statement 1, line 1, column 1: unterminated /* comment"),
    ],
)
async def test_a_mistake_is_located_and_nothing_is_done(
    transform: Any, warehouse: "Connection", statements: list[str], message: str
) -> None:
    outcome = transform(statements)

    assert outcome.message.startswith(message), outcome.log
    assert outcome.code == 1
    assert outcome.result is None


def test_a_statement_that_waits_for_a_client_is_refused(transform: Any) -> None:
    """Number 35: it held its lane until the time limit of 24 hours."""
    for statement in ("CREATE TEMP TABLE t (n int); COPY t FROM STDIN", "COPY (SELECT 1) TO STDOUT"):
        outcome = transform(statement)
        assert outcome.code == 1, outcome.log
        assert "but there is no client" in outcome.message


def test_a_copy_cannot_hide_where_backslashes_end_no_text(transform: Any) -> None:
    """Number 35: with standard_conforming_strings off it looked like a text, and waited for its client."""
    hidden = r"SELECT 'a\' '; COPY t FROM STDIN; --'"
    outcome = transform(["CREATE TEMP TABLE t (n text)", "SET standard_conforming_strings = off", hidden])
    assert outcome.code == 1, outcome.log
    assert outcome.message.startswith("statement 2: standard_conforming_strings must stay on")


async def test_a_database_that_reads_backslashes_is_read_as_others(
    transform: Any, warehouse: "Connection"
) -> None:
    name = await warehouse.fetchval("SELECT current_database()")
    await warehouse.execute(f'ALTER DATABASE "{name}" SET standard_conforming_strings = off')
    outcome = transform(r"SELECT 'a\'; CREATE TABLE public.t AS SELECT 1 AS n", "public.t")
    assert outcome.code == 0, outcome.log


def test_a_statement_of_comments_alone_is_passed_over(transform: Any) -> None:
    """Number 35: it was an AttributeError."""
    outcome = transform(["-- nothing yet", "SELECT 1", ";", "/* nor here */"])

    assert outcome.code == 0, outcome.log
    assert "statement 3 of 4: nothing to run" in outcome.log
    assert outcome.result == {"message": "1 statement done", "output_tables": []}


async def test_a_pasted_dump_works_or_says_why_not(
    transform: Any, warehouse: "Connection", warehouse_url: str
) -> None:
    """Number 35: as COPY it is refused with the way out, and the way out works."""
    await warehouse.execute("CREATE TABLE public.t AS SELECT 1 AS n, E'it''s\n\\\\connect;' AS word")

    def dump(*options: str) -> "Outcome":
        made = subprocess.run(
            [str(find_binaries() / "pg_dump"), "-d", warehouse_url, "-t", "public.t", "--no-owner", *options],
            capture_output=True,
            text=True,
        )
        assert made.returncode == 0, made.stderr
        return cast("Outcome", transform("DROP TABLE public.t;\n" + made.stdout, "public.t"))

    refused = dump()
    assert refused.code == 1
    assert "pg_dump --inserts" in refused.message
    done = dump("--inserts")
    assert done.code == 0, done.log
    assert await warehouse.fetchval("SELECT word FROM public.t") == "it's\n\\connect;"


async def test_all_or_nothing(transform: Any, warehouse: "Connection") -> None:
    outcome = transform([CREATE, "SELECT 1/0"], "out.c-x.t")

    assert outcome.code == 1
    assert await warehouse.fetchval("SELECT to_regclass('\"out.c-x\".t')") is None


async def test_a_missing_output_table_undoes_the_transformation(
    transform: Any, warehouse: "Connection"
) -> None:
    outcome = transform([CREATE], "out.c-x.t", "out.c-x.u")

    assert outcome.code == 1
    assert outcome.message.startswith("output_tables: out.c-x.u does not exist after the statements")
    assert await warehouse.fetchval("SELECT to_regclass('\"out.c-x\".t')") is None


async def test_sigterm_stops_the_statement_on_the_server(
    starter: "Starter", warehouse: "Connection", warehouse_url: str
) -> None:
    parameters = {"statements": "SELECT pg_sleep(60)", "#connection": warehouse_url}
    running = f"SELECT count(*) {SLEEPING}"
    with starter.start("sql_transformation", parameters) as process:
        await until(warehouse, running, 1)
        process.terminate()
        process.communicate(timeout=30)

    assert process.returncode == 143
    await until(warehouse, running, 0)


async def test_a_killed_component_leaves_no_statement_running(
    starter: "Starter", warehouse: "Connection", warehouse_url: str
) -> None:
    parameters = {"statements": "SELECT pg_sleep(60)", "#connection": warehouse_url}
    running = f"SELECT count(*) {SLEEPING}"
    with starter.start("sql_transformation", parameters) as process:
        await until(warehouse, running, 1)
        process.kill()
        process.communicate(timeout=30)

    await until(warehouse, running, 0)


async def until(warehouse: "Connection", query: str, value: int) -> None:
    async with asyncio.timeout(60):
        while await warehouse.fetchval(query) != value:
            await asyncio.sleep(0.05)


async def test_a_lost_connection_is_an_internal_error(
    starter: "Starter", warehouse: "Connection", warehouse_url: str
) -> None:
    parameters = {"statements": "SELECT pg_sleep(60)", "#connection": warehouse_url}
    with starter.start("sql_transformation", parameters) as process:
        await until(
            warehouse,
            f"SELECT count(*) {SLEEPING}",
            1,
        )
        await warehouse.execute(f"SELECT pg_terminate_backend(pid) {SLEEPING}")
        _, err = process.communicate(timeout=30)

    assert process.returncode == 2
    assert err.splitlines()[-1].startswith("internal error: ")
    assert "terminating connection due to administrator command" in err.splitlines()[-1]


async def test_a_table_is_written(write: Any, warehouse: "Connection", tmp_path: Path) -> None:
    await warehouse.execute('CREATE SCHEMA "out.c-x"')
    await warehouse.execute(CREATE.replace("n FROM", "n, NULL AS m, 'a,b' AS t FROM"))

    outcome = write(table="out.c-x.t", path="reports/new/t.csv")

    assert outcome.code == 0, outcome.log
    assert outcome.result == {"message": "3 rows written to reports/new/t.csv", "output_tables": []}
    file = tmp_path / "files" / "reports" / "new" / "t.csv"
    assert file.read_text() == 'n,m,t\n1,,"a,b"\n2,,"a,b"\n3,,"a,b"\n'
    assert [path.name for path in file.parent.iterdir()] == ["t.csv"]


def test_a_query_is_written_over_the_old_file(write: Any, tmp_path: Path) -> None:
    (tmp_path / "files" / "q.csv").write_text("old")

    outcome = write(query="SELECT 1 AS one; SELECT 2", path="q.csv")
    assert outcome.code == 1, outcome.log

    assert (tmp_path / "files" / "q.csv").read_text() == "old"
    assert write(query="SELECT 1 AS one; -- a comment", path="q.csv").code == 0
    assert write(query="SELECT 1 AS one -- a comment", path="q.csv").code == 0
    assert write(query="SELECT 1 AS one;", path="q.csv").code == 0
    assert (tmp_path / "files" / "q.csv").read_text() == "one\n1\n"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"table": "out.c-x.none", "path": "a.csv"}, 'table: relation "out.c-x.none" does not exist'),
        ({"query": "SELECT nme", "path": "a.csv"}, 'query: column "nme" does not exist'),
        ({"query": "SELECT 1", "path": "../a.csv"}, "path: ../a.csv is outside the files directory"),
        ({"query": "SELECT 1", "path": "."}, "path: . is a folder"),
        ({"path": "a.csv"}, "parameters: set either table or query"),
    ],
)
def test_writers_user_errors(write: Any, tmp_path: Path, parameters: dict[str, str], message: str) -> None:
    outcome = write(**parameters)

    assert outcome.message.startswith(message), outcome.log
    assert outcome.code == 1
    assert list((tmp_path / "files").iterdir()) == []


async def test_a_writer_changes_nothing(write: Any, warehouse: "Connection") -> None:
    await warehouse.execute("CREATE TABLE t AS SELECT 1 AS n")

    outcome = write(query="DELETE FROM t RETURNING n", path="a.csv")

    assert outcome.code == 1
    assert outcome.message == "query: cannot execute DELETE in a read-only transaction"


def test_without_a_files_directory_no_folder_is_made(write: Any, tmp_path: Path) -> None:
    outcome = write(query="SELECT 1", path=str(tmp_path / "new" / "a.csv"), inside=False)

    assert outcome.code == 1
    assert outcome.message.endswith("does not exist; create it or set ORCHESTRATOR_FILES_DIR")

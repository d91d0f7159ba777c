"""Component csv-extractor against a real PostgreSQL."""

import asyncio
import gzip
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

if TYPE_CHECKING:
    from tests.integration.components.conftest import Outcome, Starter

    Connection = asyncpg.Connection[asyncpg.Record]

TABLE = "in.c-shop.orders"
SELECT = 'SELECT * FROM "in.c-shop".orders ORDER BY 1'
GOOD = 'id,name,price,extra\n1,"a, ""b""\nc",1.5,x\n2,NA,,y\n'
COLUMNS = {"id": "integer", "name": "text", "price": "numeric"}


class Extract:
    """Writes a CSV into the files directory and runs the extractor on it."""

    def __init__(self, starter: "Starter", folder: Path, url: str) -> None:
        self.starter = starter
        self.folder = folder
        self.url = url

    def parameters(self, **changes: Any) -> dict[str, Any]:
        good = {"source": "orders.csv", "table": TABLE, "columns": COLUMNS, "#connection": self.url}
        return {**good, **changes}

    def __call__(self, content: str | None = GOOD, *, job: str | None = None, **changes: Any) -> "Outcome":
        if content is not None:
            (self.folder / "orders.csv").write_text(content, encoding="utf-8", newline="")
        environment = {"ORCHESTRATOR_FILES_DIR": str(self.folder), "ORCHESTRATOR_INTERNAL_HOSTS": "localhost"}
        if job:
            environment["ORCHESTRATOR_JOB_ID"] = job
        return self.starter.run("csv_extractor", self.parameters(**changes), **environment)


@pytest.fixture
def extract(starter: "Starter", tmp_path: Path, warehouse_url: str) -> Extract:
    folder = tmp_path / "files"
    folder.mkdir()
    return Extract(starter, folder, warehouse_url)


async def test_a_file_becomes_a_table(extract: Extract, warehouse: "Connection") -> None:
    outcome = extract()

    assert outcome.code == 0, outcome.log
    assert outcome.result == {
        "message": f"2 rows loaded into {TABLE}",
        "output_tables": [{"table": TABLE, "rows": 2}],
    }
    rows = [tuple(row) for row in await warehouse.fetch(SELECT)]
    assert [(row[0], row[1], row[2] and str(row[2])) for row in rows] == [
        (1, 'a, "b"\nc', "1.5"),
        (2, None, None),
    ]


async def test_a_second_load_replaces_the_first(extract: Extract, warehouse: "Connection") -> None:
    extract()
    outcome = extract("id,name,price\n7,x,1\n", columns={"name": "text", "id": "bigint"})

    assert outcome.code == 0, outcome.log
    assert [tuple(row) for row in await warehouse.fetch(SELECT)] == [("x", 7)]
    tables = "SELECT relname FROM pg_class WHERE relnamespace = '\"in.c-shop\"'::regnamespace"
    assert [row["relname"] for row in await warehouse.fetch(tables)] == ["orders"]


async def test_a_failed_load_leaves_the_old_table(extract: Extract, warehouse: "Connection") -> None:
    extract()
    assert extract("id,name,price\nx,x,1\n").code == 1

    assert len(await warehouse.fetch(SELECT)) == 2


async def test_all_types_are_loaded(extract: Extract, warehouse: "Connection") -> None:
    columns = {
        "a": "text", "b": "integer", "c": "bigint", "d": "numeric",
        "e": "double", "f": "boolean", "g": "date", "h": "timestamp",
    }  # fmt: skip
    line = "\u017elu\u0165,1,9000000000,1.10,1e3,true,2026-01-02,2026-01-02T03:04:05+01:00"
    outcome = extract(f"\ufeff{','.join(columns)}\n{line}\n", columns=columns)

    assert outcome.code == 0, outcome.log
    row = await warehouse.fetchrow(SELECT)
    assert row is not None
    assert [str(value) for value in row] == [
        "\u017elu\u0165",
        "1", "9000000000", "1.10", "1000.0", "True", "2026-01-02", "2026-01-02 02:04:05+00:00",
    ]  # fmt: skip


async def test_append_adds_once_per_job(extract: Extract, warehouse: "Connection") -> None:
    first = extract(mode="append", job="one")
    again = extract(mode="append", job="one")
    other = extract(mode="append", job="two")

    assert [outcome.code for outcome in (first, again, other)] == [0, 0, 0], first.log + again.log
    assert first.result == again.result
    assert len(await warehouse.fetch(SELECT)) == 4


def test_delimiter_and_null_values(extract: Extract) -> None:
    outcome = extract(
        "id;price\n1;-\n", columns={"id": "integer", "price": "integer"}, delimiter=";", null_values=["-"]
    )

    assert outcome.code == 0, outcome.log


def test_gzip_and_zip_are_unpacked(extract: Extract) -> None:
    with gzip.open(extract.folder / "orders.csv.gz", "wt") as file:
        file.write(GOOD)
    with zipfile.ZipFile(extract.folder / "orders.zip", "w") as archive:
        archive.writestr("orders.csv", GOOD)

    for source in ("orders.csv.gz", "orders.zip"):
        outcome = extract(source=source)
        assert outcome.code == 0, outcome.log


async def test_two_loads_at_once_into_a_new_bucket(
    extract: Extract, starter: "Starter", warehouse: "Connection"
) -> None:
    """Also of the same table: one after the other wins, none fails."""
    (extract.folder / "orders.csv").write_text(GOOD)
    files = {"ORCHESTRATOR_FILES_DIR": str(extract.folder)}
    tables = [TABLE, TABLE, "in.c-shop.other", "in.c-shop.third"]
    processes = [starter.start("csv_extractor", extract.parameters(table=table), **files) for table in tables]
    outputs = await asyncio.gather(
        *(asyncio.to_thread(process.communicate, timeout=60) for process in processes)
    )

    assert [process.returncode for process in processes] == [0, 0, 0, 0], outputs
    assert len(await warehouse.fetch(SELECT)) == 2


@pytest.mark.parametrize(
    "held",
    [
        'CREATE SCHEMA "in.c-shop"',
        f"SELECT pg_advisory_xact_lock(hashtextextended('{TABLE}', 0));"
        'CREATE TABLE "in.c-shop".orders (id integer)',
    ],
)
async def test_a_load_waits_for_the_one_before_it(
    extract: Extract, starter: "Starter", warehouse: "Connection", held: str
) -> None:
    """Another load has made the schema or the table and not committed yet."""
    (extract.folder / "orders.csv").write_text(GOOD)
    if "TABLE" in held:
        await warehouse.execute('CREATE SCHEMA "in.c-shop"')
    files = {"ORCHESTRATOR_FILES_DIR": str(extract.folder)}
    async with warehouse.transaction():
        await warehouse.execute(held)
        process = starter.start("csv_extractor", extract.parameters(), **files)
        try:
            await until_blocked(warehouse)
        except TimeoutError:
            process.kill()
    output = process.communicate(timeout=30)

    assert process.returncode == 0, output
    assert len(await warehouse.fetch(SELECT)) == 2


@pytest.mark.parametrize(
    ("content", "changes", "message"),
    [
        (None, {"source": "no.csv"}, "source: file no.csv does not exist"),
        (None, {"source": "../orders.csv"}, "source: ../orders.csv is outside"),
        (None, {"source": "sample:../csv_source.py"}, "source: there is no sample ../csv_source.py"),
        ("id,name\n", {}, "source: the header has no column 'price'; its columns: id, name"),
        ("id,name,price\n1,a,1\n2,b\n", {}, "source: row 2 (line 3) has 2 fields, but the header has 3"),
        (
            'id,name,price\n1,"a\nb",1\n2,b,cheap\n',
            {},
            'source: row 2 (line 4), column price: invalid input syntax for type numeric: "cheap" (the',
        ),
        ("id,name,price\n3000000000,a,1\n", {}, 'source: row 1 (line 2), column id: value "3000000000" is'),
        ("id,name,price\n1,a\x00b,1\n", {}, "source: row 1 (line 2)"),
        ("d\n01/02/2013\n", {"columns": {"d": "date"}}, "source: row 1 (line 2), column d: date/time field"),
        (GOOD, {"columns": {"id": "uuid"}}, "parameters.columns.id: must be 'text'"),
        (GOOD, {"table": "orders"}, "parameters.table: must be a bucket and a table"),
        (GOOD, {"#connection": "postgresql://u:hunter2@127.0.0.1:1/x"}, "#connection: cannot connect"),
        (GOOD, {"source": "http://127.0.0.1:1/a.csv"}, "source: 127.0.0.1 is an internal address"),
        (GOOD, {"source": "http://localhost:1/a.csv"}, "source: cannot read http://localhost:1/a.csv"),
    ],
)  # fmt: skip
def test_user_errors_name_the_place(
    extract: Extract, content: str | None, changes: dict[str, Any], message: str
) -> None:
    outcome = extract(content, **changes)

    assert outcome.message.startswith(message), outcome.log
    assert outcome.code == 1
    assert outcome.result is None
    assert "hunter2" not in outcome.log


def test_a_damaged_archive_is_a_user_error(extract: Extract) -> None:
    whole = gzip.compress(GOOD.encode() * 1000)
    (extract.folder / "cut.csv.gz").write_bytes(whole[:-50])
    (extract.folder / "no.zip").write_bytes(b"PK no")

    for source in ("cut.csv.gz", "no.zip"):
        outcome = extract(source=source)
        assert (outcome.code, outcome.message.startswith(f"source: {source} is damaged")) == (1, True), (
            outcome.log
        )


async def test_a_view_on_the_table_is_told(extract: Extract, warehouse: "Connection") -> None:
    extract()
    await warehouse.execute('CREATE VIEW "in.c-shop".cheap AS SELECT * FROM "in.c-shop".orders')

    outcome = extract()

    assert outcome.code == 1
    assert "cannot drop table" in outcome.message
    assert 'view "in.c-shop".cheap depends on table' in outcome.message


class Site(BaseHTTPRequestHandler):
    """Answers with a CSV, a redirect, or an endless body."""

    def do_GET(self) -> None:
        if self.path == "/gone.csv":
            self.send_error(404)
        elif self.path == "/moved.csv":
            self.send_response(302)
            self.send_header("Location", "/orders.csv?key=hunter2")
            self.end_headers()
        elif self.path == "/inside.csv":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest")
            self.end_headers()
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(GOOD.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def test_a_url_is_loaded(extract: Extract, site: str) -> None:
    outcome = extract(source=f"{site}/moved.csv")

    assert outcome.code == 0, outcome.log
    assert "hunter2" not in outcome.log


@pytest.mark.parametrize(
    ("path", "message"),
    [("gone.csv", "answered 404"), ("inside.csv", "source: 169.254.169.254 is an internal address")],
)
def test_what_a_url_must_not_be(extract: Extract, site: str, path: str, message: str) -> None:
    outcome = extract(source=f"{site}/{path}")

    assert outcome.code == 1
    assert message in outcome.message


async def test_a_big_file_is_loaded_in_seconds(extract: Extract, warehouse: "Connection") -> None:
    names = [f"c{number}" for number in range(15)]
    line = ",".join(["12345", "some text", "NA", "2013-01-01T05:00:00Z", "1.25"] * 3)
    kinds = ["integer", "text", "integer", "timestamp", "double"] * 3
    outcome = extract(
        f"{','.join(names)}\n" + f"{line}\n" * 200_000, columns=dict(zip(names, kinds, strict=True))
    )

    assert outcome.code == 0, outcome.log
    print(outcome.log)
    assert await warehouse.fetchval('SELECT count(*) FROM "in.c-shop".orders') == 200_000


async def test_sigterm_ends_a_load_and_leaves_nothing(
    extract: Extract, starter: "Starter", warehouse: "Connection"
) -> None:
    extract()
    async with warehouse.transaction():
        await warehouse.execute('LOCK TABLE "in.c-shop".orders')
        files = {"ORCHESTRATOR_FILES_DIR": str(extract.folder)}
        with starter.start("csv_extractor", extract.parameters(), **files) as process:
            await until_blocked(warehouse)
            process.terminate()
            _, err = process.communicate(timeout=30)

    assert (process.returncode, err) == (143, "terminated\n")
    tables = "SELECT relname FROM pg_class WHERE relnamespace = '\"in.c-shop\"'::regnamespace"
    async with asyncio.timeout(30):
        while [row["relname"] for row in await warehouse.fetch(tables)] != ["orders"]:
            await asyncio.sleep(0.05)


async def until_blocked(warehouse: "Connection") -> None:
    blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    async with asyncio.timeout(60):
        while not await warehouse.fetchval(blocked):
            await asyncio.sleep(0.05)

"""What csv-writer writes, csv-extractor reads as it was: any table, every row, NULL and empty (number 32)."""

import asyncio
import json
from operator import itemgetter
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator_components import csv_extractor, csv_writer
from orchestrator_components.warehouse import quoted

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
ODD = st.sampled_from(["", "NA", "NULL", "\\N", "\\.", '"', '""', ",", "\n", "\r\n", " x ", "\ufeff", "t\t"])
NAMES = TEXTS.filter(lambda name: 0 < len(name.encode()) <= 63 and not name.startswith("\ufeff"))
CELLS: dict[str, st.SearchStrategy[Any]] = {
    "text": st.none() | ODD | TEXTS,
    "bigint": st.none() | st.integers(-(2**63), 2**63 - 1),
    "boolean": st.none() | st.booleans(),
    "double": st.none() | st.floats(allow_nan=False, width=32),
    "date": st.none() | st.dates(),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[dict[str, str], list[tuple[Any, ...]]]:
    """Names and types of one to four columns, and rows."""
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    columns = {name: draw(st.sampled_from(sorted(CELLS))) for name in names}
    row = st.tuples(*(CELLS[kind] for kind in columns.values()))
    return columns, draw(st.lists(row, max_size=6))


class RoundTrip:
    """A table through a file into another table."""

    def __init__(self, url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.url = url
        self.folder = folder
        monkeypatch.setenv("ORCHESTRATOR_DATA_DIR", str(folder))
        monkeypatch.setenv("ORCHESTRATOR_FILES_DIR", str(folder))

    def configure(self, **parameters: Any) -> None:
        config = {"parameters": {"#connection": self.url, **parameters}}
        (self.folder / "config.json").write_text(json.dumps(config))

    async def __call__(
        self, columns: dict[str, str], rows: list[tuple[Any, ...]], **reading: Any
    ) -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute("DROP SCHEMA IF EXISTS a CASCADE; CREATE SCHEMA a")
            types = ", ".join(
                f"{quoted(name)} {csv_extractor.SQL_TYPES[kind]}" for name, kind in columns.items()
            )
            await connection.execute(f"CREATE TABLE a.one ({types})")
            await connection.copy_records_to_table("one", schema_name="a", records=rows)
            self.configure(table="a.one", path="one.csv")
            await csv_writer.run()
            self.configure(table="a.two", source="one.csv", columns=columns, **reading)
            await csv_extractor.run()
            return [tuple(row) for row in await connection.fetch("SELECT * FROM a.two")]
        finally:
            await connection.close()


@pytest.fixture
def round_trip(warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RoundTrip:
    return RoundTrip(warehouse_url, tmp_path, monkeypatch)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=tables())
def test_any_table_comes_back_as_it_was(
    round_trip: RoundTrip, table: tuple[dict[str, str], list[tuple[Any, ...]]]
) -> None:
    columns, rows = table
    assert asyncio.run(round_trip(columns, rows)) == rows


async def test_one_column_of_nulls_and_empty_texts_keeps_every_row(round_trip: RoundTrip) -> None:
    rows = [("x",), (None,), ("",), (None,), ("",)]
    assert await round_trip({"a": "text"}, rows) == rows


async def test_a_long_table_with_quotes_and_na_comes_back_as_it_was(round_trip: RoundTrip) -> None:
    """More than the server sends at once."""
    words = ["NA", "x,NA,y", 'a"NA"', "\nNA\n", "NAN", "", None, "NA "]
    rows = [(words[n % 8], n, words[n % 7], "x" * (n % 50)) for n in range(20_000)]
    columns = {"NA": "text", "n": "bigint", "b": "text", "c": "text"}
    assert sorted(await round_trip(columns, rows), key=itemgetter(1)) == rows


async def test_columns_are_made_in_the_order_given(round_trip: RoundTrip) -> None:
    assert await round_trip({"zeta": "text", "b": "bigint", "alpha": "text"}, [("x", 1, "y")]) == [
        ("x", 1, "y")
    ]

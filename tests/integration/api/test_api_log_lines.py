"""Logs by lines: a part of a log, a search through all of it, and the whole as a file."""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any
from uuid import UUID

import pytest
from tests.integration.api.conftest import Client, RunningApi
from tests.integration.api.test_api_jobs import Runner
from tests.support.databases import Database

from orchestrator_api.http.long_reads import PLACES, LongReads
from orchestrator_api.runs import logs
from orchestrator_api.runs.store import RunStore

PIECES = [
    (1, 1, "stdout", "connected\nreading"),
    (1, 2, "stderr", "WARNING: slow\n"),
    (1, 3, "stdout", " 40 %\n"),
    (2, 1, "stdout", "connected\n"),
    (2, 2, "stderr", "ERROR: column r.opt"),
    (2, 3, "stderr", "ed_in does not exist\n"),
    (2, 4, "stderr", "exit code 1"),
]
LINES = [
    "connected",
    "reading",
    "WARNING: slow",
    " 40 %",
    "connected",
    "ERROR: column r.opted_in does not exist",
    "exit code 1",
]


async def written(database: Database, job: UUID, pieces: Sequence[tuple[int, int, str, str]]) -> None:
    """As a runner writes; every other piece as the release before wrote it."""
    for number, (attempt, seq, stream, text) in enumerate(pieces):
        counts = (None, None) if number % 2 else (text.count("\n"), not text.endswith("\n"))
        insert = (
            "INSERT INTO jobs.logs (job_id, attempt, seq, stream, at, text, line_ends, is_open)"
            " VALUES ($1, $2, $3, $4, now(), $5, $6, $7)"
        )
        await database.execute(insert, job, attempt, seq, stream, text, *counts)


@pytest.fixture
async def job(furnished: Client, database: Database) -> UUID:
    found = await Runner(database).job("one", 7, "error", attempt=2)
    await written(database, found, PIECES)
    return found


def numbered(part: dict[str, Any]) -> list[tuple[int, str]]:
    return [(line["number"], line["text"]) for line in part["lines"]]


async def test_every_part_of_a_log_has_the_same_numbers(furnished: Client, job: UUID) -> None:
    everything = list(enumerate(LINES, 1))
    whole = await furnished.get(f"jobs/{job}/log/lines")
    assert (numbered(whole), whole["total_lines"]) == (everything, 7)
    assert (whole["stream_after"], whole["finished"]) == ("2:4", True)
    assert [line["level"] for line in whole["lines"]] == [None, None, "warning", None, None, "error", None]
    for first in range(1, 8):
        part = await furnished.get(f"jobs/{job}/log/lines?first={first}&limit=2")
        assert numbered(part) == everything[first - 1 : first + 1]
        assert part["finished"] is (first >= 6)
        assert part["total_lines"] == 7
    assert numbered(await furnished.get(f"jobs/{job}/log/lines?tail=true&limit=3")) == everything[-3:]
    assert numbered(await furnished.get(f"jobs/{job}/log/lines?around=6&limit=3")) == everything[4:7]
    beyond = await furnished.get(f"jobs/{job}/log/lines?first=8")
    assert (beyond["lines"], beyond["total_lines"], beyond["stream_after"]) == ([], 7, "2:4")


async def test_a_log_without_text_has_no_lines(furnished: Client, database: Database) -> None:
    empty = await Runner(database).job("two", 1, "success")
    for query in ("", "?tail=true", "?around=5"):
        part = await furnished.get(f"jobs/{empty}/log/lines{query}")
        assert part == {"lines": [], "total_lines": 0, "stream_after": None, "finished": True}
    assert (await furnished.get(f"jobs/{empty}/log/search?q=x"))["hits"] == []


async def test_a_log_is_searched_whole(furnished: Client, job: UUID) -> None:
    found = await furnished.get(f"jobs/{job}/log/search?q=OPTED_IN")
    assert (found["count"], found["next"]) == (1, None)
    assert (found["hits"][0]["number"], found["hits"][0]["text"]) == (6, LINES[5])
    again = await furnished.get(f"jobs/{job}/log/search?q=connected&first=2")
    assert [hit["number"] for hit in again["hits"]] == [5]


async def test_a_search_goes_on_where_it_ended(
    furnished: Client, job: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "MAX_HITS", 2)
    seen, first = [], 1
    while first is not None:
        part = await furnished.get(f"jobs/{job}/log/search?q=e&first={first}")
        assert part["count"] <= 2
        seen += [hit["number"] for hit in part["hits"]]
        first = part["next"]
    assert seen == [1, 2, 5, 6, 7]
    monkeypatch.setattr(logs, "MAX_SEARCHED", 1)
    seen, first = [], 1
    while first is not None:
        part = await furnished.get(f"jobs/{job}/log/search?q=e&first={first}")
        seen += [hit["number"] for hit in part["hits"]]
        assert part["next"] is None or part["next"] > first
        first = part["next"]
    assert seen == [1, 2, 5, 6, 7]


async def test_reads_of_long_logs_leave_connections_for_others(
    api: RunningApi, furnished: Client, job: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "LONG_CHARACTERS", 0)
    monkeypatch.setattr(logs, "READ_BYTES", 1)
    monkeypatch.setattr(logs, "FIRST_BYTES", 1)
    application: Any = api.lifecycle.app
    long_reads: LongReads = application._app.state.sessions.long_reads
    calls = [f"jobs/{job}/log/search?q=zzz", f"jobs/{job}/log/lines", f"jobs/{job}/first-error"]
    with ExitStack() as places:
        for caller in range(PLACES):
            for call in calls:
                await furnished.get(call)  # and gives its place back
            places.enter_context(long_reads.place(caller))
        for call in calls:
            await furnished.get(call, status=503)


async def test_a_log_is_downloaded_as_text(
    furnished: Client, job: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator_api.runs.log_routes.PART_CHUNKS", 2)
    response = await furnished.http.get(f"/v1/projects/demo/jobs/{job}/log/raw")
    assert response.text == "\n".join(LINES)
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["content-disposition"] == 'attachment; filename="demo-extractor-one-7.log"'
    await furnished.get(f"jobs/{UUID(int=7)}/log/raw", status=404)


async def test_questions_that_make_no_sense_are_refused(furnished: Client, job: UUID) -> None:
    for query in ("first=1&around=2", "first=1&tail=true", "around=0", "limit=1001", "first=x"):
        await furnished.get(f"jobs/{job}/log/lines?{query}", status=422)
    for query in ("", "q=", "q=a%0Ab", "q=a%00b", f"q={'x' * 201}", "q=a&first=0"):
        await furnished.get(f"jobs/{job}/log/search?{query}", status=422)


async def test_a_line_is_found_without_reading_the_text_before_it(
    furnished: Client, database: Database
) -> None:
    """Of 200 large pieces, one is read."""
    job = await Runner(database).job("two", 1, "success")
    await database.execute(
        "INSERT INTO jobs.logs (job_id, attempt, seq, stream, at, text, line_ends, is_open)"
        " SELECT $1, 1, n, 'stdout', now(), repeat(repeat('x', 63) || E'\\n', 1000), 1000, false"
        " FROM generate_series(1, 200) AS n",
        job,
    )
    arguments = RunStore.queries.arguments(
        "log_place", {"project": "demo", "job_id": job, "line": 150_500, "count": 100}
    )
    query = RunStore.queries["log_place"]
    (row,) = await database.fetch(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}", *arguments)
    plan = json.loads(row[0])[0]["Plan"]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 200
    part = await furnished.get(f"jobs/{job}/log/lines?first=150500&limit=1")
    assert (part["lines"][0]["number"], part["total_lines"]) == (150_500, 200_000)

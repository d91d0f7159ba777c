"""Lists of jobs: which index they are found by, and how many jobs a page looks at."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from orchestrator_api.runs.filters import SCANNED, JobFilter

AT = datetime(2026, 11, 30, tzinfo=UTC)
ID = UUID(int=1)


@pytest.mark.parametrize(
    ("wanted", "path", "in_path_order", "scan"),
    [
        (JobFilter(), "project", True, 100),
        (JobFilter(since=AT, until=AT), "project", True, 100),
        (JobFilter(search="x"), "project", True, SCANNED),
        (JobFilter(statuses=["error"]), "troubled", True, SCANNED),
        (JobFilter(statuses=["waiting", "processing"]), "unfinished", True, SCANNED),
        (JobFilter(statuses=["waiting", "success"]), "project", True, SCANNED),
        (JobFilter(job_id=ID), "id", True, 100),
        (JobFilter(job_id=ID, is_own=True), "own", True, SCANNED),
        (JobFilter(component="c", configuration="x"), "lane", True, 100),
        (JobFilter(sort="-finished_at"), "finished", True, 100),
        (JobFilter(sort="-finished_at", since=AT), "finished", True, SCANNED),
        (JobFilter(sort="-finished_at", is_own=True), "own", False, SCANNED),
        (JobFilter(sort="-finished_at", statuses=["error"]), "troubled", False, SCANNED),
        (JobFilter(sort="-finished_at", component="c", configuration="x"), "lane", False, SCANNED),
        (JobFilter(sort="-duration"), "project", False, SCANNED),
        (JobFilter(sort="-duration", parent=ID), "parent", False, SCANNED),
    ],
)
def test_a_list_is_found_by_an_index_and_sorted_where_that_has_another_order(
    wanted: JobFilter, path: str, in_path_order: bool, scan: int
) -> None:
    assert (wanted.path, wanted.in_path_order, wanted.scan) == (path, in_path_order, scan)


def test_the_next_page_begins_on_the_path_or_among_what_is_sorted() -> None:
    walked = JobFilter(sort="-finished_at", before=AT, before_id=ID).values()
    assert (walked["before"], walked["before_id"]) == (AT, ID)
    assert (walked["sorted_before"], walked["sorted_before_id"]) == (None, None)
    listed = JobFilter(sort="-duration", before=AT, before_id=ID).values()
    assert (listed["before"], listed["before_id"]) == (None, None)
    assert (listed["sorted_before"], listed["sorted_before_id"]) == (AT, ID)

"""Run by `test_other_dates.py` alone: whether the clocks that it sets are set."""

import os
from datetime import UTC, datetime, timedelta

from tests.support.databases import Database

DATE_VARIABLE = "TEST_FAKED_DATE"


async def test_the_clocks_of_python_and_postgresql_are_set(empty_database: Database) -> None:
    expected = datetime.fromisoformat(os.environ[DATE_VARIABLE])
    asked = await empty_database.fetchval("SELECT clock_timestamp()")
    for clock in (datetime.now(UTC), asked):
        assert abs(clock - expected) < timedelta(hours=12)

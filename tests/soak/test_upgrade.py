"""An upgrade without downtime, for longer than in `make test`."""

from pathlib import Path

import pytest
from tests.end_to_end.upgrading import old_database, python, upgrade
from tests.support.databases import Database

__all__ = ["old_database", "python"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


async def test_an_upgrade_under_load_loses_nothing(
    python: Path, old_database: Database, tmp_path: Path
) -> None:
    await upgrade(python, old_database, tmp_path, more_chains=10)

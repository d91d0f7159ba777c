"""An upgrade without downtime, with little load; `make soak` has the same for longer."""

from pathlib import Path

import pytest
from tests.end_to_end.upgrading import old_database, python, upgrade
from tests.support.databases import Database

__all__ = ["old_database", "python"]
pytestmark = [pytest.mark.timeout(300)]


async def test_an_upgrade_loses_nothing(python: Path, old_database: Database, tmp_path: Path) -> None:
    await upgrade(python, old_database, tmp_path, more_chains=1)

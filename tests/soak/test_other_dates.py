"""A part of the suite with the clock set to other dates: a year ahead, and on the next 29 February.

Debian's faketime reaches Python, RabbitMQ and, by a wrapper around its programs, PostgreSQL. It does not
reach children with a clean environment (keeper, tasks), the dates of files, and time limits that PostgreSQL
measures while it waits.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.soak.faked_clocks import DATE_VARIABLE
from tests.support.servers import REPOSITORY

from orchestrator_local.servers.account import reachable_binaries, unprivileged_account
from orchestrator_local.servers.postgres import BINARIES_VARIABLE, find_binaries

SECONDS = 900
pytestmark = [pytest.mark.slow, pytest.mark.timeout(SECONDS + 60)]
PARTS = (
    "soak/faked_clocks.py",
    "unit/shared",
    "unit/scheduler",
    "unit/trigger_watcher",
    "unit/notifier",
    "integration/scheduler",
    "integration/notifier/test_notifier_smtp.py",
    "integration/trigger_watcher",
    "integration/shared/test_retention.py",
    "integration/shared/test_long_history.py",
    "integration/components/test_nycflights_sql.py",
    "integration/api/test_api_tokens.py",
    "integration/api/test_api_backfills.py",
    "integration/api/test_api_overlaps_and_times.py",
    "end_to_end/test_pipeline.py",
)


def the_date(which: str) -> datetime:
    now = datetime.now(UTC)
    if which == "a year ahead":
        return now + timedelta(days=365)
    following = (now + timedelta(days=days) for days in range(1, 9 * 366))
    return next(day for day in following if (day.month, day.day) == (2, 29))


@pytest.fixture
def binaries() -> Iterator[Path]:
    """A folder that PostgreSQL's account may reach, for programs that set the clock."""
    folder = Path(tempfile.mkdtemp(prefix="faked-postgres-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def wrap_postgres(folder: Path, faketime: list[str]) -> None:
    """PostgreSQL gets a clean environment from us, so each program sets what faketime would."""
    real = reachable_binaries(unprivileged_account(), find_binaries())
    told = subprocess.run([*faketime, "env"], capture_output=True, text=True, check=True).stdout.splitlines()
    kept = [line for line in told if line.startswith(("LD_PRELOAD=", "FAKETIME=", "DONT_FAKE_MONOTONIC="))]
    settings = " ".join(f"'{line}'" for line in [*kept, "FAKETIME_DONT_FAKE_MONOTONIC=1"])
    for program in ("postgres", "initdb"):
        wrapper = folder / program
        wrapper.write_text(f"#!/bin/sh\nexec env {settings} '{real / program}' \"$@\"\n")
        wrapper.chmod(0o755)


@pytest.mark.parametrize("which", ["a year ahead", "on 29 February"])
def test_a_part_of_the_suite_passes(which: str, binaries: Path) -> None:
    """Issue 8, number 0: no fixed date meets a retention, a window to catch up, a certificate or a token."""
    if shutil.which("faketime") is None:
        pytest.skip("faketime is not installed")
    date = the_date(which)
    days = (date - datetime.now(UTC) + timedelta(hours=1)).days
    faketime = ["faketime", "-m", "--exclude-monotonic", "-f", f"+{days}d"]
    wrap_postgres(binaries, faketime)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("TEST_", "PYTEST_"))}
    environment = kept | {
        BINARIES_VARIABLE: str(binaries),
        DATE_VARIABLE: date.isoformat(),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "PYTHONPATH": str(REPOSITORY / "tests" / "support" / "faked_clock"),
    }
    command = [sys.executable, "-m", "pytest", "-q", *(f"tests/{part}" for part in PARTS)]
    done = subprocess.run(
        [*faketime, *command],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    print(done.stdout[-6000:], done.stderr[-2000:])
    assert done.returncode == 0

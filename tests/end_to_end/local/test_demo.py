"""`orchestrator demo`: all four outcomes on real data, and a runner's death in the middle of a run."""

import pytest
from tests.end_to_end.local.conftest import REPOSITORY, CommandLine

pytestmark = [pytest.mark.timeout(400), pytest.mark.xdist_group("local-stack")]

EXAMPLE = str(REPOSITORY / "examples" / "nycflights")


def test_the_demo_shows_what_it_promises(orchestrator: CommandLine) -> None:
    demo = orchestrator("demo", "--example", EXAMPLE)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    for promise in (
        "flights #1 ended with success",
        "carrier-report #1 started because 2 of 2 tables were updated",
        "minutely #1 was due at",
        "broken #1 ended with error",
        "Mail to admin@example.com",
        "336,776 rows loaded",
        "/docs",
        "Every outcome was the expected one.",
    ):
        assert promise in demo.stdout
    diff = orchestrator("diff", "-f", EXAMPLE)
    assert diff.returncode == 1, "only the paused schedule differs from the file"
    assert "minutely" in diff.stdout
    assert "flights" not in diff.stdout


def test_a_killed_runner_is_survived(orchestrator: CommandLine) -> None:
    demo = orchestrator("demo", "--crash", "--example", EXAMPLE)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "took over" in demo.stdout
    assert "holds 336,776 rows" in demo.stdout
    applied = orchestrator("apply", "--yes", "-f", EXAMPLE, "-p", "demo")
    assert applied.returncode == 0
    assert orchestrator("apply", "-f", EXAMPLE, "-p", "demo").stdout.strip().endswith("no changes")

"""Processes of a stack: restarted when they die, told apart by their start, ended without touching others."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from orchestrator_local.servers.processes import wait_until
from orchestrator_local.stack.child import Child
from orchestrator_local.stack.identity import ProcessIdentity
from orchestrator_local.stack.layout import Layout
from orchestrator_local.stack.leftovers import end_leftovers
from orchestrator_local.stack.plan import ProcessPlan
from orchestrator_local.stack.record import (
    ProcessEntry,
    Progress,
    StackRecord,
    StackState,
    read_record,
)
from orchestrator_local.stack.supervisor import only_one

SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")


def child(tmp_path: Path, argv: tuple[str, ...] = SLEEPER) -> Child:
    return Child(ProcessPlan("sleeper", argv, dict(os.environ), 0), tmp_path / "sleeper.log")


def test_a_killed_process_is_started_again_after_its_pause(tmp_path: Path) -> None:
    supervised = child(tmp_path)
    supervised.start()
    first = supervised.entry()
    assert first
    try:
        os.kill(first.pid, signal.SIGKILL)
        assert wait_until(lambda: not supervised.is_running, 30)
        now = time.monotonic()
        assert "was killed by SIGKILL; restarting in 0.5 s" in (supervised.watch(now) or "")
        assert supervised.watch(now + 0.4) is None
        assert " restarted (pid " in (supervised.watch(now + 0.6) or "")
        second = supervised.entry()
        assert second
        assert (second.restarts, second.pid != first.pid) == (1, True)
        assert not first.identity.is_running
    finally:
        supervised.ask_to_stop()
        supervised.end(time.monotonic() + 5)
    assert not supervised.is_running


def test_one_that_ignores_its_signal_is_killed_at_the_deadline(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    supervised = child(tmp_path, (sys.executable, "-c", deaf))
    supervised.start()
    assert wait_until(lambda: b"deaf" in supervised.log.read_bytes(), 30)
    supervised.ask_to_stop()
    supervised.end(time.monotonic() + 0.2)
    assert not supervised.is_running


def test_leftovers_are_ended_by_start_time_not_by_number_alone() -> None:
    ours, theirs = (subprocess.Popen(SLEEPER, start_new_session=True) for _ in range(2))
    try:
        mine = ProcessIdentity.of(ours.pid)
        record = StackRecord(
            ProcessEntry(1, "long ago"),
            processes={
                "ours": ProcessEntry(mine.pid, mine.started),
                "reused": ProcessEntry(theirs.pid, "another boot 1"),
                "gone": ProcessEntry(2**22 - 1, "x"),
            },
        )
        assert not record.is_supervised
        assert end_leftovers(record) == ["ours"]
        assert ours.wait(5) == -signal.SIGTERM
        assert theirs.poll() is None
    finally:
        for process in (ours, theirs):
            process.kill()
            process.wait(5)


def test_the_record_survives_a_round_trip_and_nonsense_is_none(tmp_path: Path) -> None:
    file = tmp_path / "stack.json"
    own = ProcessIdentity.of(os.getpid())
    record = StackRecord(ProcessEntry(own.pid, own.started), processes={"api": ProcessEntry(1, "s", 80, 2)})
    progress = Progress(record, file)
    progress.begin("first")
    progress.begin("second")
    found = read_record(file)
    assert found
    assert found.is_supervised
    assert [(step.text, step.seconds is None) for step in found.steps] == [("first", False), ("second", True)]
    assert found.state is StackState.STARTING
    assert found.processes["api"].restarts == 2
    assert file.stat().st_mode & 0o777 == 0o600
    for nonsense in ("", "[]", '{"state": "ready"}'):
        file.write_text(nonsense)
        assert read_record(file) is None


def test_only_one_supervisor_has_a_folder(tmp_path: Path) -> None:
    layout = Layout.at(tmp_path)
    with only_one(layout) as first_has_it:
        assert first_has_it
        with only_one(layout) as second_has_it:
            assert not second_has_it
    with only_one(layout) as free_again:
        assert free_again

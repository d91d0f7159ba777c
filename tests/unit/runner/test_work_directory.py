"""The part of the work directory that a replica holds, while others remove what killed replicas left."""

import fcntl
import os
from pathlib import Path

import pytest

from orchestrator_runner.executors.process.task_directory import WorkDirectory


def test_a_new_part_is_not_taken_for_an_abandoned_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, lock = WorkDirectory(tmp_path), fcntl.flock

    def lock_late(descriptor: int, operation: int) -> None:
        if operation == fcntl.LOCK_EX:
            assert other.remove_abandoned() == 0
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", lock_late)
    new = WorkDirectory(tmp_path)
    assert [path.name for path in new.path.iterdir()] == [".lock"]
    assert new.path.parent == tmp_path
    assert other.remove_abandoned() == 0
    new.close()
    other.close()
    assert list(tmp_path.iterdir()) == []


def test_the_part_of_a_killed_replica_is_removed(tmp_path: Path) -> None:
    own, killed = WorkDirectory(tmp_path), WorkDirectory(tmp_path)
    (killed.path / "config.json").write_text("{}")
    os.close(killed._lock)  # as the kernel does when a process ends
    assert own.remove_abandoned() == 1
    assert list(tmp_path.iterdir()) == [own.path]
    own.close()

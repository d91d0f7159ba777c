"""Where small file operations are done."""

import asyncio
import threading
import time

import pytest

from orchestrator_runner.executors.process import files
from orchestrator_runner.executors.process.files import Files


def where() -> str:
    return threading.current_thread().name


def slow() -> str:
    time.sleep(0.02)
    return where()


@pytest.fixture
def task_files(monkeypatch: pytest.MonkeyPatch) -> Files:
    monkeypatch.setattr(files, "SLOW_SECONDS", 0.01)
    return Files()


async def test_a_quick_disk_is_asked_at_once(task_files: Files) -> None:
    assert await task_files.do(where) == "MainThread"
    assert not task_files.in_threads
    task_files.close()


async def test_a_slow_disk_keeps_threads_waiting_until_it_is_quick_again(task_files: Files) -> None:
    await task_files.do(slow)
    assert task_files.in_threads

    beats = 0
    working = asyncio.create_task(task_files.do(slow))
    while not working.done():
        beats += 1
        await asyncio.sleep(0.001)
    assert (await working).startswith("task-files")
    assert beats > 3, "the loop went on meanwhile"

    assert (await task_files.do(where)).startswith("task-files")
    assert await task_files.do(where) == "MainThread"
    task_files.close()


async def test_errors_come_back_from_both(task_files: Files) -> None:
    for prepare in (where, slow):
        await task_files.do(prepare)
        with pytest.raises(ZeroDivisionError):
            await task_files.do(divmod, 1, 0)
    task_files.close()


async def test_what_was_put_off_is_done_before_it_closes(task_files: Files) -> None:
    done: list[str] = []
    task_files.later(lambda: done.append(slow()))
    await asyncio.to_thread(task_files.close)
    assert done[0].startswith("task-files")

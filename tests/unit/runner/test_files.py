"""Where small file operations are done."""

import asyncio
import threading

import pytest

from orchestrator_runner.executors.process.files import SLOW_SECONDS, Files


class Disk:
    """Its operations take the time that they say; how busy this machine is does not count."""

    def __init__(self) -> None:
        self.now = 0.0
        self.awaited = threading.Event()

    def quick(self) -> str:
        return threading.current_thread().name

    def slow(self) -> str:
        self.now += SLOW_SECONDS * 2
        return self.quick()

    def slow_until_awaited(self) -> str:
        assert self.awaited.wait(30), "the loop did not go on"
        return self.slow()


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def task_files(disk: Disk) -> Files:
    return Files(clock=lambda: disk.now)


async def test_a_quick_disk_is_asked_at_once(task_files: Files, disk: Disk) -> None:
    assert await task_files.do(disk.quick) == "MainThread"
    assert not task_files.in_threads
    task_files.close()


async def test_a_slow_disk_keeps_threads_until_it_is_quick_again(task_files: Files, disk: Disk) -> None:
    await task_files.do(disk.slow)
    assert task_files.in_threads

    working = asyncio.create_task(task_files.do(disk.slow_until_awaited))
    await asyncio.sleep(0)
    disk.awaited.set()
    assert (await working).startswith("task-files")

    assert (await task_files.do(disk.quick)).startswith("task-files")
    assert await task_files.do(disk.quick) == "MainThread"
    task_files.close()


async def test_errors_come_back_from_both(task_files: Files, disk: Disk) -> None:
    for prepare in (disk.quick, disk.slow):
        await task_files.do(prepare)
        with pytest.raises(ZeroDivisionError):
            await task_files.do(divmod, 1, 0)
    task_files.close()


async def test_what_was_put_off_is_done_before_it_closes(task_files: Files, disk: Disk) -> None:
    done: list[str] = []
    task_files.later(lambda: done.append(disk.slow()))
    await asyncio.to_thread(task_files.close)
    assert done[0].startswith("task-files")

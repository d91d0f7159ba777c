"""Processes as the kernel shows them: which descend from which, and how to kill all of them."""

import contextlib
import ctypes
import os
import signal
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_STAT_SIZE = 4096


class Process(NamedTuple):
    """One line of the process table."""

    pid: int
    parent: int
    group: int
    session: int
    started: int
    is_zombie: bool


def become_subreaper() -> None:
    """From now on, orphaned descendants become children of this process instead of init."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def forbid_looking_in() -> None:
    """From now on, no process of the same user may read this process's memory or trace it."""
    _prctl(_PR_SET_DUMPABLE, 0)


def forbid_new_privileges() -> None:
    """From now on, programs started by this process cannot gain rights, for example through sudo."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")


def read_process(pid: int) -> Process | None:
    """One process, or None if it is gone."""
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except OSError:
        return None
    try:
        line = os.read(descriptor, _STAT_SIZE)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    # The process chooses the name in parentheses, and it may contain anything: parse after the last one.
    state, parent, group, session, *more = line[line.rindex(b")") + 2 :].split(maxsplit=20)
    return Process(pid, int(parent), int(group), int(session), int(more[15]), state == b"Z")


def process_table() -> dict[int, Process]:
    """Every process on the host that we can see."""
    found = (read_process(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return {process.pid: process for process in found if process is not None}


def environment_has(pid: int, entry: bytes) -> bool:
    """Whether the process was started with `NAME=value` and has not erased it."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return entry in file.read().split(b"\0")
    except OSError:
        return False


class ProcessTree:
    """The descendants of one process, in one snapshot of the process table."""

    def __init__(self, ancestor: int) -> None:
        self.table = process_table()
        self._children: dict[int, list[Process]] = defaultdict(list)
        for process in self.table.values():
            self._children[process.parent].append(process)
        self.children = self._children[ancestor]

    def with_descendants(self, process: Process) -> list[Process]:
        """The process and all its descendants."""
        found = [process]
        for member in found:
            found.extend(self._children.get(member.pid, ()))
        return found


def send_signal(processes: Iterable[Process], number: signal.Signals) -> None:
    """Signal whole process groups first, which no fork can escape, then each process."""
    members = list(processes)
    own = os.getpgrp()
    for group in {process.group for process in members} - {own, 0}:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
    if number is signal.SIGKILL:
        for process in members:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, number)


class Census:
    """Finds adopted children cheaply: it runs at the end of every task and nearly always finds none."""

    def __init__(self, children_file: str | None = None) -> None:
        self._own = os.getpid()
        self._children_file = children_file or f"/proc/self/task/{self._own}/children"
        # Needs a kernel option that distributions enable.
        self._has_children_file = os.path.exists(self._children_file)
        self._strangers: set[tuple[int, int]] = set()

    def has_adopted(self, started: Collection[int]) -> bool:
        """Whether this process has a child that it did not start itself."""
        children = self._listed() if self._has_children_file else self._searched()
        return any(pid not in started for pid in children)

    def _listed(self) -> Iterable[int]:
        # Complete for our own children: only we reap them, so none disappears while we read.
        with open(self._children_file, "rb") as file:
            return [int(pid) for pid in file.read().split()]

    def _searched(self) -> Iterable[int]:
        """Read the process table, but only the entries not known to be unrelated.

        An unrelated process never becomes a descendant. The inode distinguishes a process from a later one
        with the same number.
        """
        with os.scandir("/proc") as entries:
            present = {(int(entry.name), entry.inode()) for entry in entries if entry.name.isdigit()}
        self._strangers &= present
        unknown = {key[0]: (key, read_process(key[0])) for key in present - self._strangers}
        stranger_pids = {pid for pid, _ in self._strangers}
        children = []
        for pid, (key, process) in sorted(unknown.items()):
            if process is None or pid == self._own:
                continue
            if process.parent == self._own:
                children.append(pid)
            elif process.parent == 0 or process.parent in stranger_pids:
                self._strangers.add(key)
                stranger_pids.add(pid)
        return children

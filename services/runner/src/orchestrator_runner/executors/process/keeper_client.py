"""The runner's end of its keeper: starts it, passes on the lease and starts tasks through it."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import orchestrator_runner
from orchestrator_runner.executors.port import ExecutionLost, ExecutionRefused
from orchestrator_runner.keeper import failpoints
from orchestrator_runner.keeper.lease import boottime
from orchestrator_runner.keeper.processes import environment_has, process_table, send_signal
from orchestrator_runner.keeper.protocol import Packet, Unpacker, pack

__all__ = ["Child", "Keeper", "KeeperFailed", "NotStartable", "boottime"]

_READ_SIZE = 256 * 1024
_START_SECONDS = 10.0
_CLEANUP_SECONDS = 5.0
_CLEANUP_PAUSE = 0.01


class NotStartable(Exception):
    """The program cannot be started: it does not exist, is not executable, or its arguments are too long."""


class KeeperFailed(Exception):
    """The keeper does not start on this host, so the runner cannot run tasks."""


@dataclass(eq=False, slots=True)
class Child:
    """A task that the keeper was asked to start."""

    id: int
    mark: str
    ended: asyncio.Future[int]
    """The exit code or the negative signal number, once no process of the task is left; otherwise raises
    ExecutionRefused, NotStartable or ExecutionLost.
    """
    started: Callable[[], None]
    pid: int | None = None


class Keeper:
    """One keeper process; once it is gone it stays gone, and the replica must end."""

    def __init__(self, connection: socket.socket, process: subprocess.Popen[bytes], margin: float) -> None:
        self._socket = connection
        self._process = process
        self._margin = margin
        self._loop = asyncio.get_running_loop()
        self._unpacker = Unpacker()
        self._outgoing: deque[tuple[bytes, tuple[int, ...]]] = deque()
        self._children: dict[int, Child] = {}
        self._next_id = 0
        self._ready = self._loop.create_future()
        self._closed = self._loop.create_future()
        self._cleanup: asyncio.Task[None] | None = None
        self._loop.add_reader(connection, self._receive)

    @classmethod
    @asynccontextmanager
    async def open(cls, *, lease_margin: float = 3.0, drain_seconds: float = 1.0) -> AsyncIterator["Keeper"]:
        """Start a keeper; on exit, end it together with everything it still runs.

        Tasks are killed `lease_margin` seconds before the lease ends. Descendants that outlive a task's main
        process are killed after `drain_seconds`.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            process = _start_process(theirs, drain_seconds)
        ours.setblocking(False)
        keeper = cls(ours, process, lease_margin)
        try:
            await keeper._wait_ready()
            yield keeper
        finally:
            await keeper._close()

    async def _wait_ready(self) -> None:
        first = {self._ready, self._closed}
        await asyncio.wait(first, timeout=_START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not self._ready.done():
            raise KeeperFailed(
                f"the keeper ({sys.executable} -m orchestrator_runner.keeper) ended or did not report within "
                f"{_START_SECONDS:g} s; its output is on this service's stderr"
            )

    @property
    def pid(self) -> int:
        """The keeper's process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether tasks can be started, given a valid lease."""
        return not self._closed.done()

    async def wait_closed(self) -> str:
        """Wait until the keeper is gone and its tasks are dead, and say how it ended; for supervision."""
        await asyncio.shield(self._closed)
        if self._cleanup is not None:
            await asyncio.shield(self._cleanup)
        code = await asyncio.to_thread(self._process.wait)
        return f"the keeper (process {self.pid}) ended with {code}"

    def renew_lease(self, seconds: float, *, asked_at: float | None = None) -> None:
        """The lease is valid for so many seconds from `asked_at`.

        `asked_at` is `boottime()` read before the database was asked, so no delay lengthens the lease.
        """
        until = (boottime() if asked_at is None else asked_at) + seconds - self._margin
        self._send({"do": "lease", "until": until})

    def spawn(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        directory: str,
        *,
        mark: str,
        outputs: tuple[int, int],
        user: int | None = None,
        started: Callable[[], None] = lambda: None,
    ) -> Child:
        """Ask for a task; `outputs` are its stdout and stderr, and are closed here.

        `started` is called once its program runs.

        `user` is the user to run as, if not the runner's own. `mark` is an environment entry unique to this
        task, by which its descendants are recognised.
        """
        self._next_id += 1
        child = Child(self._next_id, mark, self._loop.create_future(), started)
        packet: Packet = {"do": "spawn", "id": child.id, "mark": mark, "directory": directory}
        packet |= {"argv": list(argv), "environment": dict(environment), "user": user}
        self._children[child.id] = child
        try:
            if not self.is_alive:
                raise ExecutionRefused("the keeper is gone")
            self._send(packet, outputs)
        except (ExecutionRefused, ValueError) as error:
            _close_all(outputs)
            failure = error if isinstance(error, ExecutionRefused) else NotStartable(str(error))
            self._end(child.id, failure)
        return child

    def stop(self, child: Child, grace: float) -> None:
        """Ask the task to end, and kill what is left of it after the grace period; 0 kills now."""
        if not child.ended.done():
            self._send({"do": "stop", "id": child.id, "grace": grace})

    def _send(self, packet: Packet, descriptors: tuple[int, ...] = ()) -> None:
        data = pack(packet)
        if not self.is_alive:
            _close_all(descriptors)
            return
        self._outgoing.append((data, descriptors))
        if len(self._outgoing) == 1:
            self._flush()

    def _flush(self) -> None:
        while self._outgoing:
            data, descriptors = self._outgoing[0]
            try:
                sent = socket.send_fds(self._socket, [data], descriptors, socket.MSG_NOSIGNAL)
            except BlockingIOError:
                self._loop.add_writer(self._socket, self._flush)
                return
            except OSError:
                return  # the reader notices the end after the keeper's last messages
            _close_all(descriptors)
            self._outgoing[0] = (data[sent:], ())
            if sent == len(data):
                self._outgoing.popleft()
        self._loop.remove_writer(self._socket)

    def _receive(self) -> None:
        try:
            data = self._socket.recv(_READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lose()
            return
        try:
            for packet in self._unpacker.feed(data):
                self._heed(packet)
        except (ValueError, KeyError):  # the keeper sends invalid packets: `_lose` ends it
            self._lose()

    def _heed(self, packet: Packet) -> None:
        match packet["is"]:
            case "ready":
                self._ready.set_result(None)
            case "started":
                child = self._children[packet["id"]]
                child.pid = packet["pid"]
                child.started()
            case "ended":
                lost = packet["lost"]
                self._end(packet["id"], packet["status"] if lost is None else ExecutionLost(lost))
            case "refused":
                self._end(packet["id"], ExecutionRefused(packet["why"]))
            case "unstartable":
                self._end(packet["id"], NotStartable(packet["why"]))

    def _end(self, child_id: int, how: int | Exception) -> None:
        future = self._children.pop(child_id).ended
        if future.done():
            return
        if isinstance(how, int):
            future.set_result(how)
        else:
            future.set_exception(how)
            future.exception()  # a waiter still gets it; this only keeps asyncio quiet when no one waits

    def _lose(self) -> None:
        """Handle the keeper's death: kill what it can no longer kill, then tell every waiter."""
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        for _, descriptors in self._outgoing:
            _close_all(descriptors)
        self._outgoing.clear()
        if not self._closed.done():
            self._closed.set_result(None)
            self._cleanup = self._loop.create_task(self._end_children())

    async def _end_children(self) -> None:
        children = list(self._children.values())
        sessions = {child.pid for child in children if child.pid is not None}
        marks = [child.mark.encode(errors="surrogateescape") for child in children]
        if children:
            await asyncio.to_thread(_kill_orphans, self.pid, sessions, marks)
        for child in children:
            self._end(child.id, ExecutionLost("the keeper ended"))

    async def _close(self) -> None:
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._socket.close()
        if not self._closed.done():
            self._closed.set_result(None)
            await asyncio.to_thread(self._process.wait)
            await self._end_children()
        elif self._cleanup is not None:
            await self._cleanup
            await asyncio.to_thread(self._process.wait)


def _start_process(connection: socket.socket, drain_seconds: float) -> subprocess.Popen[bytes]:
    """The keeper gets none of our environment, because its tasks could read it."""
    descriptor = connection.fileno()
    source = Path(orchestrator_runner.__file__).parents[1]
    return subprocess.Popen(
        # Without site packages and the current directory on the path, it starts in a third of the time.
        [sys.executable, "-S", "-P", "-m", "orchestrator_runner.keeper", str(descriptor), str(drain_seconds)],
        env={"PYTHONPATH": str(source), "PYTHONUTF8": "1", **failpoints.armed()},
        pass_fds=(descriptor,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )


def _close_all(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _kill_orphans(keeper_pid: int, sessions: set[int], marks: list[bytes]) -> None:
    """Kill by session and environment, for a limited time: without the keeper, orphans go to init."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(keeper_pid, signal.SIGKILL)
    deadline = boottime() + _CLEANUP_SECONDS
    while boottime() < deadline:
        orphans = [
            process
            for process in process_table().values()
            if not process.is_zombie
            and (process.session in sessions or any(environment_has(process.pid, mark) for mark in marks))
        ]
        if not orphans:
            return
        send_signal(orphans, signal.SIGKILL)
        time.sleep(_CLEANUP_PAUSE)

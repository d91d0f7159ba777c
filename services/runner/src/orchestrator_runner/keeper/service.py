"""The keeper's loop: handles requests of the runner, deadlines, and signals of the kernel."""

import contextlib
import os
import select
import signal
import socket
import time

from orchestrator_runner.keeper import failpoints
from orchestrator_runner.keeper.channel import Channel
from orchestrator_runner.keeper.lease import Lease, boottime
from orchestrator_runner.keeper.processes import ProcessTree, become_subreaper, forbid_looking_in, send_signal
from orchestrator_runner.keeper.protocol import Packet
from orchestrator_runner.keeper.spawning import inherit_nothing_ignored, spawn
from orchestrator_runner.keeper.tasks import Task, Tasks

_LONGEST_NAP = 0.5
"""poll does not count time during which the host was suspended, but leases do."""
LEASE_ENDED = "the runner's lease ran out"


class Keeper:
    """Ends when the runner's end of the socket closes, for whatever reason."""

    def __init__(self, connection: socket.socket, *, drain: float) -> None:
        self._channel = Channel(connection)
        self._lease = Lease()
        self._tasks = Tasks(drain=drain)
        self._null = os.open(os.devnull, os.O_RDWR)
        self._exits, wakeup = os.pipe()
        os.set_blocking(self._exits, False)
        os.set_blocking(wakeup, False)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        inherit_nothing_ignored()
        become_subreaper()
        forbid_looking_in()

    def run(self) -> None:
        """Serve until the runner is gone; however this ends, no task is left behind."""
        poller = select.poll()
        poller.register(self._exits, select.POLLIN)
        self._channel.send({"is": "ready"})
        try:
            while not self._channel.closed:
                wanted = select.POLLIN | (select.POLLOUT if self._channel.wants_to_write else 0)
                poller.register(self._channel.fileno(), wanted)
                poller.poll(self._nap() * 1000)
                self._turn()
        finally:
            kill_all_descendants()
            self._channel.close()

    def _turn(self) -> None:
        self._forget_wakeups()
        for packet in self._channel.receive():
            self._obey(packet)
        self._tasks.reap()
        self._watch_lease()
        for task in self._tasks.take_finished():
            failpoints.reach(failpoints.BEFORE_END)
            ended: Packet = {"is": "ended", "id": task.id, "status": task.status, "lost": task.lost}
            self._channel.send(ended)
        self._channel.flush()

    def _nap(self) -> float:
        if not self._tasks:
            return 60.0
        left = self._lease.remaining()
        until = min(
            self._tasks.next_deadline() - boottime(), left if left > 0 else _LONGEST_NAP, _LONGEST_NAP
        )
        return max(until, 0.001)

    def _forget_wakeups(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._exits, 4096):
                pass

    def _watch_lease(self) -> None:
        if self._lease.is_held:
            return
        for task in self._tasks.all():
            if task.lost is None:
                task.lost = LEASE_ENDED
                task.kill_at = 0.0

    def _obey(self, packet: Packet) -> None:
        if packet["do"] == "lease":
            self._lease.renew(packet["until"])
        elif packet["do"] == "spawn":
            self._spawn(packet, self._channel.take_descriptors(2))
        elif packet["do"] == "stop":
            task = self._tasks.find(packet["id"])
            if task is not None:
                self._tasks.stop(task, packet["grace"])

    def _spawn(self, packet: Packet, outputs: list[int]) -> None:
        try:
            if self._lease.is_held:
                self._channel.send(self._start(packet, outputs))
            else:
                self._channel.send({"is": "refused", "id": packet["id"], "why": LEASE_ENDED})
        finally:
            for descriptor in outputs:
                os.close(descriptor)

    def _start(self, packet: Packet, outputs: list[int]) -> Packet:
        stdout, stderr = outputs
        failpoints.reach(failpoints.BEFORE_SPAWN)
        try:
            pid = spawn(
                packet["argv"],
                packet["environment"],
                packet["directory"],
                (self._null, stdout, stderr),
                packet.get("user"),
            )
        except (OSError, ValueError) as error:
            return {"is": "unstartable", "id": packet["id"], "why": str(error)}
        failpoints.reach(failpoints.AFTER_SPAWN)
        self._tasks.add(Task(packet["id"], pid, packet["mark"].encode(errors="surrogateescape")))
        return {"is": "started", "id": packet["id"], "pid": pid}


def kill_all_descendants() -> None:
    """Kill until the kernel reports no child: orphans become our children, so none escapes."""
    pause = 0.002
    while True:
        for child in (tree := ProcessTree(os.getpid())).children:
            send_signal(tree.with_descendants(child), signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(pause)
        pause = min(pause * 2, 0.5)

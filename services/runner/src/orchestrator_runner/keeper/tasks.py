"""The tasks that a keeper is responsible for, and every process that belongs to them."""

import os
import signal
from collections import defaultdict
from dataclasses import dataclass, field

from orchestrator_runner.keeper.lease import boottime
from orchestrator_runner.keeper.processes import Census, Process, ProcessTree, environment_has, send_signal

_RETRY_KILL = 0.02
NEVER = float("inf")


@dataclass(slots=True)
class Task:
    """One started program with all its descendants; it has ended only when none of them is left."""

    id: int
    pid: int
    mark: bytes
    status: int | None = None
    """Exit code of the main process, or minus the signal that ended it; None while it runs."""
    kill_at: float = NEVER
    lost: str | None = None
    """Why the keeper ended the task without being asked."""


@dataclass(slots=True)
class Tasks:
    """Knows which task each descendant belongs to, kills what is due, and reports which tasks are over."""

    drain: float
    """How long descendants may outlive the main process, so that they can finish writing."""
    running: dict[int, Task] = field(default_factory=dict)
    """By the process id of the main process, until it is reaped."""
    _ended: list[Task] = field(default_factory=list)
    _sessions: dict[int, Task] = field(default_factory=dict)
    _unclaimed: dict[tuple[int, int], list[Task]] = field(default_factory=dict)
    _census: Census = field(default_factory=Census)
    _look_again: bool = False

    def __len__(self) -> int:
        return len(self.running) + len(self._ended)

    def all(self) -> list[Task]:
        """Every task that may have a process left."""
        return [*self.running.values(), *self._ended]

    def find(self, task_id: int) -> Task | None:
        """Find a task by its id, unless it is over."""
        return next((task for task in self.all() if task.id == task_id), None)

    def add(self, task: Task) -> None:
        """Add a task whose main process leads a session of its own."""
        self.running[task.pid] = task
        self._sessions[task.pid] = task

    def stop(self, task: Task, grace: float) -> None:
        """Ask all its processes to end, and set the time at which they are killed."""
        if grace > 0 and task.kill_at == NEVER:
            send_signal(self._members().get(task.id, ()), signal.SIGTERM)
        task.kill_at = min(task.kill_at, boottime() + max(grace, 0.0))

    def reap(self) -> None:
        """Collect every child that has exited."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            task = self.running.pop(pid, None)
            if task is None:
                # An adopted process has ended: the processes it started are now adopted too.
                self._look_again = True
                continue
            task.status = os.waitstatus_to_exitcode(status)
            task.kill_at = min(task.kill_at, boottime() + self.drain)
            self._ended.append(task)

    def next_deadline(self) -> float:
        """When `take_finished` has something to kill."""
        return min((task.kill_at for task in self.all()), default=NEVER)

    def take_finished(self) -> list[Task]:
        """Kill what is due, and return the tasks that are over, with no process left."""
        now = boottime()
        due = [task for task in self.all() if task.kill_at <= now]
        if not (due or self._ended or self._look_again):
            return []
        self._look_again = False
        adopted = self._census.has_adopted(self.running)
        members = self._members() if due or adopted else {}
        for task in due:
            send_signal(members.get(task.id, ()), signal.SIGKILL)
            task.kill_at = now + _RETRY_KILL
        over = [task for task in self._ended if not members.get(task.id)]
        for task in over:
            self._forget(task)
        return over

    def _forget(self, task: Task) -> None:
        self._ended.remove(task)
        self._sessions = {number: owner for number, owner in self._sessions.items() if owner is not task}
        if self._unclaimed:
            self._look_again = True

    def _members(self) -> dict[int, list[Process]]:
        """All our descendants by task id; those that belong to no task are killed."""
        tree = ProcessTree(os.getpid())
        self._prune_unclaimed(tree)
        members: dict[int, list[Process]] = defaultdict(list)
        for child in tree.children:
            branch = tree.with_descendants(child)
            candidates = self._candidates(child)
            if not candidates:
                send_signal(branch, signal.SIGKILL)
            elif len(candidates) == 1:
                members[candidates[0].id] += branch
                self._remember_sessions(candidates[0], branch)
        return members

    def _remember_sessions(self, owner: Task, branch: list[Process]) -> None:
        for process in branch:
            self._sessions.setdefault(process.session, owner)

    def _candidates(self, child: Process) -> list[Task]:
        """The tasks that a child of ours may belong to.

        Its session or environment makes it certain; otherwise, every task that was alive with it. A daemon
        that left its session and erased its environment is ended with the last task that may have started it.
        """
        owner = self._sessions.get(child.session)
        if owner is None:
            owner = next((task for task in self.all() if environment_has(child.pid, task.mark)), None)
        if owner is not None:
            return [owner]
        key = (child.pid, child.started)
        alive = self.all()
        candidates = [task for task in self._unclaimed.setdefault(key, alive) if task in alive]
        self._unclaimed[key] = candidates
        return candidates

    def _prune_unclaimed(self, tree: ProcessTree) -> None:
        self._unclaimed = {
            key: candidates
            for key, candidates in self._unclaimed.items()
            if key[0] in tree.table and tree.table[key[0]].started == key[1]
        }

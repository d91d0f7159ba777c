"""A supervised process: its log, its restarts with back-off, its shutdown."""

import os
import signal
import subprocess
import time
from pathlib import Path

from orchestrator_local.servers.processes import send_signal
from orchestrator_local.stack.identity import ProcessIdentity
from orchestrator_local.stack.plan import ProcessPlan
from orchestrator_local.stack.record import ProcessEntry

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0
LARGEST_LOG = 10 * 1024 * 1024


def pause_before_restart(failures_in_a_row: int) -> float:
    """Starts at half a second and doubles with every failure, up to half a minute."""
    doublings = min(max(failures_in_a_row - 1, 0), 16)
    return min(FIRST_PAUSE_SECONDS * float(2**doublings), LONGEST_PAUSE_SECONDS)


class Child:
    """Keeps one process of a plan running until it is stopped."""

    def __init__(self, plan: ProcessPlan, log: Path) -> None:
        self.plan = plan
        self.log = log
        self.restarts = 0
        self._failures_in_a_row = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._restart_at: float | None = None
        self._identity: ProcessIdentity | None = None

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def failures_in_a_row(self) -> int:
        return self._failures_in_a_row

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def entry(self) -> ProcessEntry | None:
        if self._identity is None:
            return None
        return ProcessEntry(self._identity.pid, self._identity.started, self.plan.port, self.restarts)

    def start(self) -> None:
        self._rotate_log()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.plan.argv,
                env=dict(self.plan.environment),
                cwd=self.log.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # the supervisor handles Ctrl-C at the terminal
            )
        self._identity = ProcessIdentity.of(self._process.pid)
        self._started_at = time.monotonic()
        self._restart_at = None

    def watch(self, now: float) -> str | None:
        """Restart an ended process after its pause; returns what happened, if anything."""
        if self._process is None or self._process.poll() is None:
            return None
        if self._restart_at is None:
            if now - self._started_at > STEADY_SECONDS:
                self._failures_in_a_row = 0
            self._failures_in_a_row += 1
            pause = pause_before_restart(self._failures_in_a_row)
            self._restart_at = now + pause
            return f"{self.name} {_how(self._process.returncode)}; restarting in {pause:g} s"
        if now < self._restart_at:
            return None
        self.restarts += 1
        self.start()
        return f"{self.name} restarted (pid {self._identity.pid if self._identity else '?'})"

    def ask_to_stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def end(self, deadline: float) -> None:
        """Wait for the process to stop as requested; kill it after the deadline."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            send_signal(self._process.pid, signal.SIGKILL)
            self._process.wait(5)

    def _rotate_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.close(descriptor)


def _how(code: int) -> str:
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"

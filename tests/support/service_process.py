"""Services as real processes of a test: started as in production, logged to files, surely ended."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
from tests.support.servers import REPOSITORY
from tests.support.service_forks import SERVICES, ForkedProcess, forks

from orchestrator_local.servers.processes import free_port, send_signal, tail

LOG_LINES = 60
AFRESH_VARIABLE = "TEST_SERVICES_AFRESH"
OF_THE_INTERPRETER = ("LD_", "PYTHON", "FAKETIME", "MALLOC_")


class ServiceProcess:
    """One `python -m module`; its HTTP port is chosen here unless the environment names one.

    A service of ours is forked from a process that has its modules, unless TEST_SERVICES_AFRESH is set or
    another Python is to run it.
    """

    def __init__(
        self, module: str, env: Mapping[str, str], folder: Path, *, python: Path | None = None
    ) -> None:
        self.module = module
        self._python = str(python or sys.executable)
        self.port = int(env.get("ORCHESTRATOR_HTTP_PORT") or free_port())
        self.log = folder / f"{module}-{self.port}.log"
        self._env = {
            **_inherited(),
            **env,
            "ORCHESTRATOR_HTTP_HOST": "127.0.0.1",
            "ORCHESTRATOR_HTTP_PORT": str(self.port),
        }
        is_changed = python is not None or any(name.startswith(OF_THE_INTERPRETER) for name in env)
        self._forked = module in SERVICES and not is_changed
        self._process: subprocess.Popen[bytes] | ForkedProcess | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.module} was not started"
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; the negative number of the signal if one ended it."""
        return self._process.poll() if self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, or start it again after it ended: same port, same environment, log continued."""
        assert not self.running, f"{self.module} runs already"
        if self._forked and not os.environ.get(AFRESH_VARIABLE):
            self._process = forks().start(self.module, self._env, self.log)
        else:
            self._process = self._started_afresh()

    def _started_afresh(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [self._python, "-m", self.module],
                env=self._env,
                cwd=self.log.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    async def ready(self, timeout: float = 30) -> None:
        """Wait until /readyz answers 200."""
        deadline = time.monotonic() + timeout
        last = "no answer"
        async with httpx.AsyncClient(base_url=self.url, timeout=2, trust_env=False, verify=False) as client:
            while time.monotonic() < deadline:
                assert self.running, f"{self.module} ended with {self.exit_code}:\n{self.log_tail()}"
                try:
                    response = await client.get("/readyz")
                    if response.status_code == 200:
                        return
                    last = f"{response.status_code} {response.text}"
                except httpx.HTTPError as error:
                    last = type(error).__name__
                await asyncio.sleep(0.05)
        raise AssertionError(f"{self.module} not ready in {timeout} s: {last}\n{self.log_tail()}")

    async def ended(self, timeout: float = 30) -> int:
        """Wait for its end and return the exit code."""
        assert self._process is not None
        try:
            return await asyncio.to_thread(self._process.wait, timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.module} runs after {timeout} s:\n{self.log_tail()}") from None

    def terminate(self) -> None:
        """Ask it to stop in order; `ended` waits for that."""
        send_signal(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL for the service alone: what it started must be cleaned up by its own means."""
        if self.running:
            send_signal(self.pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait(10)

    def suspend(self) -> None:
        """A hung process: alive for the system, silent for everybody else."""
        send_signal(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        send_signal(self.pid, signal.SIGCONT)

    def log_tail(self, lines: int = LOG_LINES) -> str:
        return tail(self.log, lines)

    def clean_up(self) -> None:
        """End the service and everything in its process group, whatever state it is in."""
        if self._process is not None:
            send_signal(self.pid, signal.SIGKILL, group=True)
            self._process.wait(10)


def _inherited() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ORCHESTRATOR_", "TEST_"))}
    path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    return kept | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": path}

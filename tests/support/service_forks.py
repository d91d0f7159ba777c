"""Starts services as forks of one process that has their modules: most of a start is importing them.

What then runs is the service's own `__main__`, in a session of its own, with the environment handed over in
the way that `hide_environment` does it. With the fixture `services_afresh` each is started as in production.
"""

import gc
import importlib
import json
import os
import runpy
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from orchestrator_shared.runtime.private_environment import HANDOVER

REPOSITORY = Path(__file__).resolve().parents[2]
SERVICES = frozenset(
    {
        "orchestrator_api",
        "orchestrator_scheduler",
        "orchestrator_trigger_watcher",
        "orchestrator_runner",
        "orchestrator_notifier",
    }
)
POLL_SECONDS = 0.01


class ForkedProcess:
    """A service, with what its users need of a Popen."""

    def __init__(self, forks: "Forks", pid: int) -> None:
        self._forks = forks
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._forks.ask(poll=self.pid)["code"]
        return self.returncode

    def wait(self, timeout: float) -> int:
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(POLL_SECONDS)
        return code


class Forks:
    """The process that forks, as seen by pytest; it ends when this end of the socket is closed."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._socket, other = socket.socketpair()
        self._lock = threading.Lock()
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.service_forks", str(other.fileno())],
                cwd=REPOSITORY,
                env=environment,
                stdin=subprocess.DEVNULL,
                pass_fds=[other.fileno()],
                start_new_session=True,
            )
        self._stream = self._socket.makefile("rwb")

    def start(self, module: str, environment: Mapping[str, str], log: Path) -> ForkedProcess:
        """The service, in the folder of its log."""
        answer = self.ask(start=module, environment=dict(environment), log=str(log))
        return ForkedProcess(self, answer["pid"])

    def ask(self, **request: Any) -> dict[str, Any]:
        with self._lock:
            self._stream.write(json.dumps(request).encode() + b"\n")
            self._stream.flush()
            answer: dict[str, Any] = json.loads(self._stream.readline())
        return answer

    def end(self) -> None:
        self._stream.close()
        self._socket.close()
        self._process.wait(10)


@cache
def forks() -> Forks:
    """One for all tests of this process; its environment is what every service inherits."""
    return Forks(dict(os.environ) | {"PYTHONUNBUFFERED": "1"})


def end_forks() -> None:
    if forks.cache_info().currsize:
        forks().end()
        forks.cache_clear()


def _serve(connection: socket.socket) -> dict[str, Any] | None:
    """Answer until the other end is closed; returns a request in the fork that is to become its service."""
    codes: dict[int, int] = {}
    with connection, connection.makefile("rwb") as stream:
        while line := stream.readline():
            request = json.loads(line)
            if "poll" in request:
                answer: dict[str, Any] = {"code": _exit_code(request["poll"], codes)}
            elif pid := _fork(request["start"]):
                answer = {"pid": pid}
            else:
                return dict(request)
            stream.write(json.dumps(answer).encode() + b"\n")
            stream.flush()
    return None


def _exit_code(pid: int, codes: dict[int, int]) -> int | None:
    if pid not in codes:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended:
            return None
        codes[pid] = os.waitstatus_to_exitcode(status)
    return codes[pid]


def _fork(module: str) -> int:
    """The process id in the parent, as soon as the fork leads a session; 0 in the fork."""
    for part in (f"{module}.settings", f"{module}.wiring", "orchestrator_shared.runtime.service"):
        importlib.import_module(part)
    assert threading.active_count() == 1, "a fork would lack the other threads"
    gc.collect()
    gc.freeze()
    heard, told = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(heard)
        os.setsid()
        os.close(told)
        return 0
    os.close(told)
    os.read(heard, 1)
    os.close(heard)
    return pid


def _become(request: dict[str, Any]) -> None:
    log = Path(request["log"])
    os.chdir(log.parent)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    for number in (1, 2):
        os.dup2(output, number)
    handed_over = os.memfd_create("environment", 0)
    content = "".join(f"{name}={value}\0" for name, value in request["environment"].items())
    os.write(handed_over, content.encode())
    os.environ.clear()
    os.environ[HANDOVER] = str(handed_over)
    sys.argv = [request["start"]]
    runpy.run_module(request["start"], run_name="__main__", alter_sys=True)


def _main(descriptor: int) -> None:
    request = _serve(socket.socket(fileno=descriptor))
    if request is not None:
        _become(request)


if __name__ == "__main__":
    _main(int(sys.argv[1]))

"""Starting and stopping private servers: free ports, bounded waits, log tails, signals."""

import os
import secrets
import signal
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from orchestrator_cli.failures import Unreachable

POLL_SECONDS = 0.05
TAIL_LINES = 15
BELOW_EPHEMERAL = range(15_000, 32_000)
_GIVEN: deque[int] = deque(maxlen=1000)


class ServerError(Unreachable):
    """A private server could not be started or stopped; the message says what to do about it."""


def free_port(host: str = "127.0.0.1") -> int:
    """A port below the ephemeral range, so that no connection takes it while a server restarts.

    Not one that this process was given a short while ago: its server may not listen yet.
    """
    for _ in range(50):
        port = secrets.randbelow(BELOW_EPHEMERAL.stop - BELOW_EPHEMERAL.start) + BELOW_EPHEMERAL.start
        if port not in _GIVEN and port_is_free(port, host):
            _GIVEN.append(port)
            return port
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def remembered_port(file: Path) -> int:
    """The port of the last start if it is still free, so that published addresses stay valid."""
    try:
        port = int(file.read_text())
    except (OSError, ValueError):
        port = 0
    if not port or not port_is_free(port):
        port = free_port()
    file.write_text(str(port))
    return port


def open_private(log: Path) -> BinaryIO:
    """An empty log that only its owner may read, even if the previous one was open to all."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "wb")


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log, indented for an error message."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return "  (no log was written)"
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:]) or "  (the log is empty)"


def is_alive(pid: int) -> bool:
    """Whether a process is running; a zombie is not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return not Path("/proc/self").exists() and _alive_without_proc(pid)


def _alive_without_proc(pid: int) -> bool:
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(found.stdout.strip()) and not found.stdout.strip().startswith("Z")


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        found = subprocess.run(
            ["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return found.stdout


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def send_signal(pid: int, number: signal.Signals, *, group: bool = False) -> None:
    try:
        (os.killpg if group else os.kill)(pid, number)
    except ProcessLookupError:
        return


def reap(process: subprocess.Popen[bytes] | None, seconds: float = 5) -> None:
    """Collect the exit status of a child, so that it does not remain as a zombie."""
    if process is None:
        return
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(seconds)

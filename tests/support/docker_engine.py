"""A private Docker engine: own data, own socket, no network bridge; it ends with the tests."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from orchestrator_runner.executors.docker.engine import EngineAddress

START_SECONDS = 60
STOP_SECONDS = 30


class PrivateEngine:
    """`dockerd` as a child; it can be killed and started again on the same data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "docker.sock"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> EngineAddress:
        return EngineAddress(socket=str(self.socket))

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self, *flags: str) -> None:
        """Returns when it answers."""
        self.socket.unlink(missing_ok=True)
        (self.folder / "pid").unlink(missing_ok=True)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    "dockerd",
                    *("--data-root", str(self.folder / "data"), "--exec-root", str(self.folder / "exec")),
                    *("--pidfile", str(self.folder / "pid"), "--host", self.url, "--log-level", "warn"),
                    *(flags or ("--bridge=none", "--iptables=false", "--ip6tables=false")),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while self.docker("version", check=False).returncode != 0:
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise AssertionError((self.folder / "log").read_text(errors="replace")[-3000:])
            time.sleep(0.1)

    def docker(
        self, *arguments: str, check: bool = True, given: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """The command line, on this engine; `given` is its standard input."""
        return subprocess.run(
            ["docker", "--host", self.url, *arguments],
            capture_output=True,
            text=True,
            check=check,
            input=given,
            env={**os.environ, "DOCKER_CONFIG": str(self.folder / "config")},
        )

    def kill(self) -> None:
        """As if its host had killed it: containers go on until it starts again."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        # Its containerd dies with it; where nobody reaps it, its number would be taken for a living one.
        (self.folder / "exec/containerd/containerd.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """End it and its containers."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@contextlib.contextmanager
def private_engine(*flags: str) -> Iterator[PrivateEngine]:
    """Short paths: the path of a socket may have about a hundred characters."""
    folder = Path(tempfile.mkdtemp(prefix="dockerd-", dir="/tmp"))
    engine = PrivateEngine(folder)
    try:
        engine.start(*flags)
        yield engine
    finally:
        engine.stop()
        _end_leftovers(folder)
        for mount in sorted(_mounts_below(folder), reverse=True):
            subprocess.run(["umount", "--lazy", mount], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _end_leftovers(folder: Path) -> None:
    """What holds containers outlives an engine that could not end in order."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"{folder}/exec/".encode() in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)


def _mounts_below(folder: Path) -> list[str]:
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return [line.split()[1] for line in lines if line.split()[1].startswith(f"{folder}/")]

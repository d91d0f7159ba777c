"""The processes of a measured system: started, asked what they cost, ended."""

import asyncio
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.support.servers import REPOSITORY

TICKS = os.sysconf("SC_CLK_TCK")
READY = "ready"


@dataclass(frozen=True)
class Cost:
    """CPU seconds used so far and memory held now (proportional set size, MiB) by some processes."""

    cpu_seconds: float
    memory_mib: float

    def __sub__(self, before: Self) -> "Cost":
        return Cost(self.cpu_seconds - before.cpu_seconds, self.memory_mib)


class Started:
    """One process of a system, with everything that it started."""

    def __init__(
        self, name: str, command: Sequence[str], env: Mapping[str, str], folder: Path, cwd: Path | None = None
    ) -> None:
        self.name = name
        self.log = folder / f"{name}-{secrets.token_hex(4)}.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                list(command),
                env={**inherited(), **env},
                cwd=cwd or folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @classmethod
    def module(cls, name: str, module: str, env: Mapping[str, str], folder: Path, *arguments: str) -> Self:
        """A module of this environment."""
        return cls(name, [sys.executable, "-m", module, *arguments], env, folder)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    async def says(self, text: str = READY, seconds: float = 60) -> None:
        """Wait until its log contains a text."""
        deadline = time.monotonic() + seconds
        while text not in self.log.read_text(errors="replace"):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} is not ready:\n{self.log.read_text()[-4000:]}")
            await asyncio.sleep(0.02)

    def cost(self) -> Cost:
        """Of the process and all its descendants that still live (those waited for are counted too)."""
        return cost_of([self.pid, *descendants(self.pid)])

    def kill(self) -> None:
        """At once, as a crash would."""
        self._process.kill()
        self._process.wait(10)

    def end(self, seconds: float = 20) -> None:
        for sent in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                self._process.send_signal(sent)
                try:
                    self._process.wait(seconds)
                except subprocess.TimeoutExpired:
                    continue
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def cost_of(pids: Sequence[int]) -> Cost:
    return Cost(sum(map(_cpu_seconds, pids)), sum(map(_memory_mib, pids)))


def total(started: Sequence[Started]) -> Cost:
    costs = [each.cost() for each in started]
    return Cost(sum(cost.cpu_seconds for cost in costs), sum(cost.memory_mib for cost in costs))


def descendants(pid: int) -> list[int]:
    children: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children += [int(child) for child in task.read_text().split()]
        except OSError:
            continue
    return children + [deeper for child in children for deeper in descendants(child)]


def _cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(field) for field in fields[11:15]) / TICKS


def _memory_mib(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def inherited() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ORCHESTRATOR_", "TEST_"))}
    path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    return kept | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": path}

"""One local stack for all tests of the command line: started the way a person starts it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator_local.stack.layout import Layout
from orchestrator_local.stack.record import StackRecord, read_record

REPOSITORY = Path(__file__).resolve().parents[3]
LONGEST_SECONDS = 240


@dataclass(frozen=True)
class CommandLine:
    """Runs `orchestrator` in a folder of its own, as a process of its own."""

    folder: Path

    @property
    def layout(self) -> Layout:
        return Layout.at(self.folder / ".orchestrator")

    def __call__(
        self, *arguments: str, seconds: float = LONGEST_SECONDS
    ) -> "subprocess.CompletedProcess[str]":
        environment = {key: value for key, value in os.environ.items() if not key.startswith("ORCHESTRATOR_")}
        argv = [sys.executable, "-c", "import sys; from orchestrator_cli.main import main; sys.exit(main())"]
        return subprocess.run(
            [*argv, *arguments],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def record(self) -> StackRecord:
        found = read_record(self.layout.record)
        assert found
        return found


@pytest.fixture(scope="session")
def orchestrator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """A running stack; everything it started is gone afterwards, and so are its data."""
    command = CommandLine(tmp_path_factory.mktemp("stack"))
    try:
        up = command("dev", "up", "--detach")
        assert up.returncode == 0, up.stdout + up.stderr
        yield command
    finally:
        command("dev", "down", "--remove-data")

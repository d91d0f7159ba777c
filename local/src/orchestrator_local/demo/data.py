"""Fetching the example's data with the example's own program while the stack starts."""

import subprocess
import sys
from pathlib import Path

from orchestrator_cli.failures import CommandFailure
from orchestrator_local.demo.scenario import DATA_FOLDER, Example

FETCH_SECONDS = 330


def begin_fetching(example: Example, files: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, str(example.fetcher), str(files / DATA_FOLDER)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish_fetching(program: "subprocess.Popen[str]") -> str:
    """The program's output, which is also the text of a failure."""
    try:
        said, _ = program.communicate(timeout=FETCH_SECONDS)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait(5)
        raise CommandFailure(f"the example's data was not downloaded within {FETCH_SECONDS} s") from None
    if program.returncode != 0:
        raise CommandFailure("cannot download the example's data:", details=said.strip().splitlines())
    return said.strip()

"""Fetching the example's data beside the start of the stack, by the example's own program."""

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
    """The program's words; a failure is said with them."""
    try:
        said, _ = program.communicate(timeout=FETCH_SECONDS)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait(5)
        raise CommandFailure(f"the example's data was not there after {FETCH_SECONDS} s") from None
    if program.returncode != 0:
        raise CommandFailure("the example's data cannot be fetched:", details=said.strip().splitlines())
    return said.strip()

"""Component command: a program that the administrator allowed, started from an argv list without a shell."""

import json
import os
import signal
import subprocess
import sys
import threading
from typing import IO

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from orchestrator_components.contract import Terminated, UserError, data_dir, load_parameters, main, report

ALLOWED = "ORCHESTRATOR_ALLOWED_COMMANDS"
LONGEST_LAST_LINE = 2000
SECONDS_TO_END = 3.0
SECONDS_FOR_LAST_WORDS = 1.0

Prefixes = list[list[str]]


class Parameters(BaseModel):
    """What a configuration of command may say."""

    model_config = ConfigDict(extra="forbid")

    argv: list[str] = Field(min_length=1)

    @field_validator("argv")
    @classmethod
    def _startable(cls, argv: list[str]) -> list[str]:
        if not argv[0]:
            raise ValueError("the first element must name a program")
        if any("\0" in argument for argument in argv):
            raise ValueError("must not contain a NUL character")
        return argv


def run() -> None:
    argv = load_parameters(Parameters).argv
    require_allowed(argv, allowed_prefixes(os.environ.get(ALLOWED, "")))
    code, last_line = _run_to_end(argv)
    if code:
        raise UserError(f"{argv[0]} {how_it_ended(code)}" + (f": {last_line}" if last_line else ""))
    if not (data_dir() / "result.json").exists():
        report(f"{argv[0]} exited with 0")


def allowed_prefixes(text: str) -> Prefixes:
    if not text:
        raise UserError(f"no command is allowed here: an administrator has to list them in {ALLOWED}")
    try:
        prefixes = TypeAdapter(Prefixes).validate_python(json.loads(text), strict=True)
    except (json.JSONDecodeError, ValidationError):
        raise UserError(
            f'{ALLOWED} must be a JSON list of argv prefixes such as [["sleep"], ["/bin/echo"]]'
        ) from None
    return [prefix for prefix in prefixes if prefix]


def require_allowed(argv: list[str], prefixes: Prefixes) -> None:
    if any(argv[: len(prefix)] == prefix for prefix in prefixes):
        return
    known = "; ".join(" ".join(prefix) for prefix in prefixes) or "nothing"
    raise UserError(f"parameters.argv: {argv[0]} is not allowed with these arguments; allowed is: {known}")


def how_it_ended(code: int) -> str:
    if code > 0:
        return f"exited with {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def _run_to_end(argv: list[str]) -> tuple[int, str]:
    environment = {name: value for name, value in os.environ.items() if name != ALLOWED}
    try:
        process = subprocess.Popen(argv, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UserError(f"parameters.argv: cannot start {argv[0]}: {reason}") from None
    assert process.stderr is not None
    tail = None
    try:
        tail = _Tail(process.stderr)
        code = process.wait()
    except Terminated:
        _end(process)
        if tail is not None:
            tail.last_line()  # what it says at its end belongs to the log, too
        raise
    return code, tail.last_line()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(1)


class _Tail:
    """Passes a program's stderr on and keeps its last line."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._kept = b""
        self._is_cut = False
        self._thread = threading.Thread(target=self._pass_on, daemon=True)
        self._thread.start()

    def _pass_on(self) -> None:
        while chunk := os.read(self._pipe.fileno(), 65536):
            sys.stderr.buffer.write(chunk)
            sys.stderr.buffer.flush()
            whole = self._kept + chunk
            self._is_cut = self._is_cut or len(whole) > LONGEST_LAST_LINE
            self._kept = whole[-LONGEST_LAST_LINE:]

    def last_line(self) -> str:
        # A grandchild may hold the pipe open for ever: the program itself has ended.
        self._thread.join(SECONDS_FOR_LAST_WORDS)
        first, *lines = self._kept.decode(errors="replace").split("\n")
        if self._is_cut and first.strip():
            # What the cut leaves of a secret would not be known as one, and would be told.
            first = "its last line is too long to repeat, the log has it"
        return next((line.strip() for line in reversed([first, *lines]) if line.strip()), "")


if __name__ == "__main__":
    main(run)

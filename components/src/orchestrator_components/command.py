"""Component command: runs a program allowed by the administrator, from an argv list without a shell."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import IO, Any

from orchestrator_components.contract import Terminated, UserError, data_dir, main, read_parameters, report
from orchestrator_components.fields import Fields

ALLOWED = "ORCHESTRATOR_ALLOWED_COMMANDS"
LONGEST_LAST_LINE = 2000
SECONDS_TO_END = 3.0
SECONDS_FOR_LAST_WORDS = 1.0

Prefixes = list[list[str]]


def parse_parameters(given: Mapping[str, Any]) -> list[str]:
    """The argv; raises UserError."""
    fields = Fields(given)
    argv = fields.texts("argv", at_least=1, check=_startable)
    fields.require()
    return argv


def _startable(argv: list[str]) -> list[str]:
    if not argv[0]:
        raise ValueError("the first element must be the name of a program")
    if any("\0" in argument for argument in argv):
        raise ValueError("must not contain a NUL character")
    return argv


def run() -> None:
    argv = parse_parameters(read_parameters())
    require_allowed(argv, allowed_prefixes(os.environ.get(ALLOWED, "")))
    code, last_line = _run_to_end(argv)
    if code:
        raise UserError(f"{argv[0]} {how_it_ended(code)}" + (f": {last_line}" if last_line else ""))
    if not (data_dir() / "result.json").exists():
        report(f"{argv[0]} exited with 0")


def allowed_prefixes(text: str) -> Prefixes:
    if not text:
        raise UserError(f"no commands are allowed here; an administrator must list them in {ALLOWED}")
    try:
        prefixes = json.loads(text)
    except json.JSONDecodeError:
        prefixes = None
    if not isinstance(prefixes, list) or not all(map(_is_prefix, prefixes)):
        raise UserError(f'{ALLOWED} must be a JSON list of argv prefixes such as [["sleep"], ["/bin/echo"]]')
    return [prefix for prefix in prefixes if prefix]


def _is_prefix(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def require_allowed(argv: list[str], prefixes: Prefixes) -> None:
    if any(argv[: len(prefix)] == prefix for prefix in prefixes):
        return
    known = "; ".join(" ".join(prefix) for prefix in prefixes) or "nothing"
    raise UserError(f"parameters.argv: {argv[0]} is not allowed with these arguments; allowed: {known}")


def how_it_ended(code: int) -> str:
    if code > 0:
        return f"exited with {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


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
            tail.last_line()  # its last output belongs in the log, too
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
    """Passes on a program's stderr and keeps its last line."""

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
        # A grandchild may keep the pipe open indefinitely, although the program itself has exited.
        self._thread.join(SECONDS_FOR_LAST_WORDS)
        first, *lines = self._kept.decode(errors="replace").split("\n")
        if self._is_cut and first.strip():
            # A secret cut in half would not be recognised, so it would not be masked.
            first = "its last line is too long to repeat here; see the log"
        return next((line.strip() for line in reversed([first, *lines]) if line.strip()), "")


if __name__ == "__main__":
    main(run)

"""Failures that end a command: one sentence for people and an exit code for scripts."""

from enum import IntEnum


class ExitCode(IntEnum):
    """0 done, 1 the run failed, 2 bad input, 3 no response from the server, 4 output cannot be written."""

    OK = 0
    RUN_FAILED = 1
    BAD_INPUT = 2
    UNREACHABLE = 3
    OUTPUT_LOST = 4


class CommandFailure(Exception):
    """An error shown without a traceback; each of `details` follows on its own line."""

    code = ExitCode.RUN_FAILED

    def __init__(self, text: str, *, details: list[str] | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.details = details or []


class BadInput(CommandFailure):
    """An argument, file or environment variable is not usable."""

    code = ExitCode.BAD_INPUT


class Unreachable(CommandFailure):
    """The server does not respond, or responds that it is unavailable."""

    code = ExitCode.UNREACHABLE

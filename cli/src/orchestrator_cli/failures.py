"""Failures that end a command: one sentence for people and an exit code for scripts."""

from collections.abc import Sequence
from enum import IntEnum


class ExitCode(IntEnum):
    """What an exit code means; docs/reference/cli.md has the same table."""

    OK = 0
    RUN_FAILED = 1
    """The run or the request failed; `diff` found changes."""
    BAD_INPUT = 2
    """Also what the server refuses, and a question that nobody answers with yes."""
    UNREACHABLE = 3
    OUTPUT_LOST = 4
    INTERRUPTED = 130
    """Ctrl-C; runs that were started go on."""


class CommandFailure(Exception):
    """An error shown without a traceback; each of `details` follows on its own line."""

    code = ExitCode.RUN_FAILED
    fields: Sequence[str] = ()
    """Of the request that was refused, as the server names them in the texts."""

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


class Interrupted(CommandFailure):
    """Ctrl-C while something at the server goes on."""

    code = ExitCode.INTERRUPTED

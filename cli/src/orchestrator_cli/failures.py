"""What ends a command early: one sentence for people and the exit code that scripts read."""

from enum import IntEnum


class ExitCode(IntEnum):
    """0 done, 1 the run failed, 2 wrong input, 3 no answer of the server, 4 the output cannot be written."""

    OK = 0
    RUN_FAILED = 1
    BAD_INPUT = 2
    UNREACHABLE = 3
    OUTPUT_LOST = 4


class CommandFailure(Exception):
    """A reason to stop, said to people without a traceback; `details` follow on lines of their own."""

    code = ExitCode.RUN_FAILED

    def __init__(self, text: str, *, details: list[str] | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.details = details or []


class BadInput(CommandFailure):
    """An argument, a file or an environment variable cannot be used."""

    code = ExitCode.BAD_INPUT


class Unreachable(CommandFailure):
    """The server does not answer, or answers that it cannot work now."""

    code = ExitCode.UNREACHABLE

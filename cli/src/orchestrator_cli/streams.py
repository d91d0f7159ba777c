"""Standard output and error under any conditions: any encoding, a full disk, a closed pipe."""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from typer.core import TyperGroup

from orchestrator_cli.failures import CommandFailure, ExitCode


class ReaderLeft(Exception):
    """The reader of our output closed the pipe, as `head` does; this is not an error."""


class OutputLost(CommandFailure):
    """The output could not be written."""

    code = ExitCode.OUTPUT_LOST


class Group(TyperGroup):
    """Commands whose output may fail; Typer alone would exit with 1 or print a traceback."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        with translated_errors():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: Any) -> Any:
        with translated_errors():
            return super().invoke(ctx)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Translate the operating system's output errors into ours."""
    try:
        yield
    except BrokenPipeError:
        raise ReaderLeft from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG):
            raise
        where = f"{error.filename}: " if error.filename else "cannot write the output: "
        raise OutputLost(f"{where}{error.strerror}") from None


def prepare() -> None:
    """Escape characters that the output's encoding lacks, instead of failing with a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def flush() -> None:
    """Flush now: a failure while Python shuts down would print a traceback."""
    with translated_errors():
        sys.stdout.flush()


def drop_output() -> None:
    """Discard further output, so that Python's final flush does not fail again."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, sys.stdout.fileno())
        finally:
            os.close(nowhere)

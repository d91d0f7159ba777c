"""Standard output and error as they may be: of any encoding, on a full disk, with a reader that has left."""

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
    """Whoever read our output has closed it, as `head` does: nothing is wrong, and no one listens."""


class OutputLost(CommandFailure):
    """The output could not be written."""

    code = ExitCode.OUTPUT_LOST


class Group(TyperGroup):
    """Commands whose output may fail; Typer by itself ends with 1, or with a traceback."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        with failures_told():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: Any) -> Any:
        with failures_told():
            return super().invoke(ctx)


@contextmanager
def failures_told() -> Iterator[None]:
    """An error of the operating system as one of ours."""
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
    """What the output's encoding lacks is written as an escape: that beats a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def flush() -> None:
    """Write what is left now: what fails when Python ends is told as a traceback."""
    with failures_told():
        sys.stdout.flush()


def drop_output() -> None:
    """Let nothing be written any more, so that Python's own last flush does not fail again."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, sys.stdout.fileno())
        finally:
            os.close(nowhere)

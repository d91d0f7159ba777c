"""Log text for output: unchanged into a pipe, sanitised and line by line on a terminal."""

from typing import TextIO

from orchestrator_cli.output import plain

_START_AGAIN = "\r\x1b[K"


class LogText:
    """One stream of one job's log.

    Lines with a prefix are printed whole: an incomplete line is held back until the rest arrives.
    """

    def __init__(self, out: TextIO, prefix: str = "") -> None:
        self._out = out
        self._prefix = prefix
        self._terminal = out.isatty()
        self._rest = ""
        self._open = False
        """Whether the last line written has no line end yet."""

    def write(self, text: str) -> None:
        if not self._terminal and not self._prefix:
            self._put(text)
            return
        first, *more = text.split("\n")
        self._rest += first
        for following in more:
            self._line(self._rest + "\n")
            self._rest = following
        if not self._terminal:
            return
        # Only the final state of a progress bar is shown, and it is known only at the end of the line.
        if "\r" in self._rest:
            self._rest = _last_state(self._rest)
        elif not self._prefix:
            self._put(plain(self._rest))
            self._rest = ""

    def finish(self, *, line_end: bool) -> None:
        """The text held back; `line_end` completes an unfinished line, so that nothing is appended to it."""
        if self._rest:
            self._line(self._rest)
            self._rest = ""
        if self._open and (line_end or self._terminal or self._prefix):
            self._put("\n")

    def _line(self, line: str) -> None:
        if not self._terminal:
            self._put(self._prefix + line)
            return
        end = "\n" if line.endswith("\n") else ""
        body = line.removesuffix("\n").removesuffix("\r")
        state = body.rpartition("\r")[2]
        again = _START_AGAIN if self._open and state != body else ""
        self._put(f"{again}{self._prefix}{plain(state)}{end}")

    def _put(self, text: str) -> None:
        if text:
            self._out.write(text)
            self._out.flush()
            self._open = not text.endswith("\n")


def _last_state(line: str) -> str:
    """The last state with trailing carriage returns kept: they may be half of a line end."""
    body = line.rstrip("\r")
    state = body.rpartition("\r")[2]
    return ("\r" if state != body else "") + state + ("\r" if body != line else "")

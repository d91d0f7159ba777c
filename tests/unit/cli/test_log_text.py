"""A log's text on a terminal and in a pipe (number 36)."""

import io

import pytest

from orchestrator_cli.output import plain
from orchestrator_cli.progress.log_text import LogText


class Terminal(io.StringIO):
    """Somewhere a person looks at."""

    def isatty(self) -> bool:
        return True


def shown(*pieces: str, out: io.StringIO, prefix: str = "", line_end: bool = False) -> str:
    text = LogText(out, prefix)
    for piece in pieces:
        text.write(piece)
    text.finish(line_end=line_end)
    return out.getvalue()


HARMLESS = "".join(
    [
        "caf\u00e9 10\u00a0km \u202f5 so\u00adft \ufeff\u2028 \ue000 \t.",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",  # a family, joined
        "\u0646\u0645\u06cc\u200c\u062e\u0648",
    ]
)
"""With no-break spaces, joiners, a soft hyphen, a separator of lines and a character of private use."""


def test_what_harms_no_terminal_is_shown_as_it_is() -> None:
    assert plain(HARMLESS) == HARMLESS
    assert shown(HARMLESS + "\n", out=Terminal()) == HARMLESS + "\n"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\x08\x7f", "a\\x08\\x7f"),
        ("\u202eexe.txt\u2066", "\\u202eexe.txt\\u2066"),
    ],
)
def test_what_steers_a_terminal_is_escaped_there_only(text: str, escaped: str) -> None:
    assert shown(text + "\n", out=Terminal()) == escaped + "\n"
    assert shown(text + "\n", out=io.StringIO()) == text + "\n"


def test_line_ends_of_windows_are_line_ends() -> None:
    assert shown("a\r\nb\r", "\nc\r\n", out=Terminal()) == "a\nb\nc\n"
    assert shown("a\r\nb\r\n", out=io.StringIO()) == "a\r\nb\r\n"


@pytest.mark.parametrize(
    "pieces",
    [
        ("10%\r50%\r100%\n",),
        ("10%\r", "50%\r100%", "\n"),
        ("10%\r", "50%", "\r", "100%\r\n"),
        ("\r10%", "\r100%\n"),
        ("10%\r50%\r100%",),
        ("10%\r50%\r100%\r",),
    ],
)
def test_of_a_progress_bar_the_last_state_is_shown(pieces: tuple[str, ...]) -> None:
    assert shown(*pieces, out=Terminal()) == "100%\n"
    assert shown(*pieces, out=Terminal(), prefix="a | ") == "a | 100%\n"
    assert shown(*pieces, out=io.StringIO()) == "".join(pieces)


def test_a_bar_that_has_begun_to_show_begins_its_line_again() -> None:
    assert shown("10%", "\r20%", "\r30%\n", out=Terminal()) == "10%\r\x1b[K30%\n"


def test_a_line_without_an_end_is_shown_at_once_and_ended_once() -> None:
    terminal = Terminal()
    text = LogText(terminal)
    text.write("Continue? ")
    assert terminal.getvalue() == "Continue? "
    text.write("yes\n")
    text.finish(line_end=True)
    assert terminal.getvalue() == "Continue? yes\n"


def test_lines_with_a_prefix_are_whole_ones() -> None:
    assert shown("a", "b\nc", "d\x0be", out=io.StringIO(), prefix="t | ") == "t | ab\nt | cd\x0be\n"


@pytest.mark.parametrize(("line_end", "expected"), [(True, "a\n"), (False, "a")])
def test_in_a_pipe_a_line_end_is_added_only_where_something_follows(line_end: bool, expected: str) -> None:
    assert shown("a", out=io.StringIO(), line_end=line_end) == expected

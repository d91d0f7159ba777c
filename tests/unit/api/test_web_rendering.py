"""Long pages are rendered in a thread, short ones at once; both are the same page."""

import threading

import pytest
from jinja2 import Environment
from starlette.types import Message

from orchestrator_api.http.offload import Offload
from orchestrator_api.web import rendering
from orchestrator_api.web.rendering import BETWEEN_LOOKS, Page

LINES = 3 * BETWEEN_LOOKS
TEXT = "".join(f"<p>{line} é</p>" for line in range(LINES))


def page(seen: list[str], *, is_large: bool = False) -> Page:
    """A page that says in which threads it was rendered."""

    def line(number: int) -> int:
        seen.append(threading.current_thread().name)
        return number

    template = Environment(autoescape=True).from_string(
        "{% for n in range(count) %}<p>{{ line(n) }} é</p>{% endfor %}"
    )
    return Page(template, {"count": LINES, "line": line}, 200, {}, is_large=is_large)


async def test_a_short_page_is_rendered_at_once() -> None:
    seen: list[str] = []
    made = page(seen)
    await made.finish(Offload().for_caller("someone"))
    assert (bytes(made.body).decode(), set(seen)) == (TEXT, {"MainThread"})
    assert made.headers["content-length"] == str(len(TEXT.encode()))


async def test_the_rest_of_a_long_page_is_rendered_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "BUDGET_SECONDS", -1)
    seen: list[str] = []
    made = page(seen)
    await made.finish(Offload().for_caller("someone"))
    assert bytes(made.body).decode() == TEXT
    assert (seen[0], seen[-1]) == ("MainThread", "offload")
    assert seen.count("MainThread") <= BETWEEN_LOOKS


async def test_a_large_page_is_rendered_in_a_thread_from_the_first_piece_on() -> None:
    seen: list[str] = []
    made = page(seen, is_large=True)
    await made.finish(Offload().for_caller("someone"))
    assert (bytes(made.body).decode(), set(seen)) == (TEXT, {"offload"})


async def test_what_is_computed_later_is_computed_where_the_page_is_rendered() -> None:
    template, seen = Environment(autoescape=True).from_string("{{ a }} {{ b }}"), list[str]()

    def later() -> dict[str, object]:
        seen.append(threading.current_thread().name)
        return {"b": 2}

    for is_large in (False, True):
        made = Page(template, {"a": 1}, 200, {}, is_large=is_large, later=later)
        await made.finish(Offload().for_caller("someone"))
        assert bytes(made.body) == b"1 2"
    assert seen == ["MainThread", "offload"]


async def test_a_page_that_nobody_has_finished_renders_itself() -> None:
    said: list[Message] = []

    async def send(message: Message) -> None:
        said.append(message)

    async def receive() -> Message:
        raise NotImplementedError

    await page([])({"type": "http"}, receive, send)
    assert said[1]["body"].decode() == TEXT
    assert (b"content-length", str(len(TEXT.encode())).encode()) in said[0]["headers"]

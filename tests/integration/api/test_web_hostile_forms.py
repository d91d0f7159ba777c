"""Every form that any page has, filled in by someone who means harm: no answer is a failure of ours.

What was stored is shown as text, whatever it is.
"""

import itertools
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from tests.integration.api.conftest import ADMIN_TOKEN, Client, running, settings_on
from tests.integration.api.crawl import Answer, Caller, ask
from tests.integration.api.tenants import Tenants, two_tenants
from tests.integration.api.test_web_access_table import (
    ENDS_SESSION,
    FORM,
    OURS,
    Question,
    own_token,
    people,
    questions,
)  # fmt: skip
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database

MARKUP = "<script>pwned()</script>\"onload='pwned()' {{7*7}} javascript:pwned() \u202e\x1b[31m\x07"
GARBAGE: Mapping[str, str] = {
    "markup": MARKUP,
    "long": "x" * 9_000,
    "number": "9" * 400,
    "json": '{"a":[[[[' * 20,
    "unicode": "\u0000",
    "below": "-1e309",
    "spaces": " " * 2_000,
    "odd": "\ufeff\u2028\ud7ff\U0010ffff\x85\r\nSet-Cookie: a=b",
    "foreign": "//evil.example/%2f..\\",
    "instant": "9999-12-31 23:59",
}
KEPT = ("csrf",)
OURS_ONLY = re.compile(r"/(?![/\\\\])[!-~]*")
HARMFUL = ("<script>pwned", '"onload=', "<img src=x")


class Forms(HTMLParser):
    """The forms of a page: where each goes, and the names and values of its fields."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, str]] = {}
        self._open = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = given.get("action", "") if given.get("method") == "post" else ""
        if "hx-post" in given:
            self.forms.setdefault(given["hx-post"], {})
        if self._open and tag in ("input", "select", "textarea", "button") and given.get("name"):
            self.forms.setdefault(self._open, {})[given["name"]] = given.get("value", "")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tenants(shared_database: Database, vhost: BrokerVhost) -> AsyncIterator[Tenants]:
    settings = settings_on(shared_database, vhost)
    async with running(settings) as api, api.http(ADMIN_TOKEN) as http:
        yield await two_tenants(api.app, Client(http), shared_database)


together = pytest.mark.asyncio(loop_scope="module")


async def opened(tenants: Tenants, caller: Caller, url: str) -> Answer:
    return await ask(tenants.app, "GET", url, None, caller.headers)


async def sent(
    tenants: Tenants, caller: Caller, url: str, fields: Mapping[str, str], **headers: str
) -> Answer:
    body = urlencode({**fields, "csrf": own_token(caller)}).encode()
    return await ask(
        tenants.app,
        "POST",
        url,
        body,
        {**caller.headers, "Content-Type": FORM, "HX-Request": "true", **headers},
    )


def addresses(tenants: Tenants, method: str) -> Iterator[tuple[Question, str]]:
    given = {**OURS, **tenants.places}
    for question in questions():
        if question.method == method and question.name not in ENDS_SESSION:
            yield question, question.path.format_map(given)


async def forms_of(tenants: Tenants, caller: Caller) -> dict[str, dict[str, str]]:
    """Of all pages; those that a page names only to scripts have no fields here."""
    found: dict[str, dict[str, str]] = {url: {} for _, url in addresses(tenants, "POST")}
    for _, url in addresses(tenants, "GET"):
        parser = Forms()
        parser.feed((await opened(tenants, caller, url)).text)
        for action, fields in parser.forms.items():
            found.setdefault(action.split("?")[0], {}).update(fields)
    gone = ("/sign-out", "/account/sessions/", "/account/password")
    return {url: fields for url, fields in found.items() if not url.startswith(gone)}


def harms(answer: Answer) -> list[str]:
    text = answer.text.lower()
    seen = [each for each in HARMFUL if each in text]
    where = [answer.headers.get(name, "/") for name in ("location", "hx-redirect", "hx-push-url")]
    return [*seen, *(each for each in where if OURS_ONLY.fullmatch(each) is None and each != "false")]


@together
async def test_garbage_in_every_form_is_no_failure_of_ours(tenants: Tenants) -> None:
    caller, wrong, count = people(tenants)["instance administrator"], [], 0
    everywhere = await forms_of(tenants, caller)
    assert sum(bool(fields) for fields in everywhere.values()) > 40
    for url, fields in sorted(everywhere.items()):
        names = [name for name in fields if name not in KEPT]
        for kind, text in GARBAGE.items():
            answer = await sent(tenants, caller, url, {**dict.fromkeys(names, text), "back": text})
            count += 1
            if answer.status >= 500 or harms(answer):
                wrong.append(f"{url} with {kind} everywhere: {answer.status} {harms(answer)}")
        for name, kind in zip(names, itertools.cycle(GARBAGE), strict=False):
            answer = await sent(tenants, caller, url, {**fields, name: GARBAGE[kind]})
            count += 1
            if answer.status >= 500 or harms(answer):
                wrong.append(f"{url} with {kind} in {name}: {answer.status} {harms(answer)}")
    assert not wrong, "\n".join(wrong)
    assert count > 1_000
    for _, url in addresses(tenants, "GET"):  # with whatever was stored
        answer = await opened(tenants, caller, url)
        assert answer.status < 500, url
        assert harms(answer) == [], url


QUERIES = ("q", "owner", "after", "sort", "line", "from", "task", "version", "preset", "only")
"""What pages ask for most; what garbage does to one may hide what it does to another."""
OTHERS = (
    "before", "cursor", "limit", "page", "status", "component", "hit", "log", "view", "who", "what", "since",
    "until", "by", "label", "without", "to", "next", "back", "done", "start", "search", "timezone", "every",
    "cron", "tasks", "phase", "index", "type", "starts", "enabled", "query", "actor", "kind",
)  # fmt: skip


@together
async def test_garbage_in_every_address_is_no_failure_of_ours(tenants: Tenants) -> None:
    caller, wrong = people(tenants)["instance administrator"], []
    cookie = caller.headers["Cookie"]
    hostile = (
        "; orchestrator_visited=%00|!%ff%fe|"
        + "!" * 500
        + "; orchestrator_zone=../../etc; orchestrator_theme=<x>"
    )
    kinds = itertools.cycle(GARBAGE.items())  # three for each address, each of the kinds for many
    for question, url in addresses(tenants, "GET"):
        for kind, text in itertools.islice(kinds, 3):
            query = urlencode(dict.fromkeys((*QUERIES, *OTHERS), text[:150]))
            person = Caller({**caller.headers, "Cookie": cookie + hostile})
            answer = await opened(tenants, person, f"{url}?{query}")
            if answer.status >= 500 or harms(answer):
                wrong.append(f"{question.name} with {kind} in the query: {answer.status} {harms(answer)}")
        for name, text in zip(QUERIES, itertools.cycle((MARKUP, "-1", "9" * 20)), strict=False):
            answer = await opened(tenants, caller, f"{url}?{urlencode({name: text})}")
            if answer.status >= 500 or harms(answer):
                wrong.append(f"{question.name}?{name}={text}: {answer.status} {harms(answer)}")
    assert not wrong, "\n".join(wrong)

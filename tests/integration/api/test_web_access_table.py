"""Every page as everyone, with two projects, held against tests/support/page_rows.py: the API decides.

A new page without a row there fails.
"""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from tests.integration.api.conftest import ADMIN_TOKEN, Client, running, settings_on
from tests.integration.api.crawl import Answer, Caller, ask
from tests.integration.api.tenants import Tenants, two_tenants
from tests.integration.api.test_api_access_table import canonical, ghost_like
from tests.support.access_rows import NO, row
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.page_rows import NOBODY, PAGE_ROWS, WITHOUT_A_SESSION

from orchestrator_api.access.browser_sessions import form_token
from orchestrator_api.web.addresses import PAGES

BY_COOKIE = " by cookie"
OURS = {
    "address": "ops@example.com", "after": "1", "before": "1", "letter": "ghost", "number": "1",
    "rest": "ghost", "section": "jobs", "variable": "limit", "version": "1", "versions": "1...1",
}  # fmt: skip
"""What parts of the pages' addresses are that no call of the API has."""
FIELDS = {"backfill_orchestration": {"planned": "||"}}
"""Without these, the form only asks what would happen."""
ENDS_SESSION = ("end_all_sessions", "end_session", "own_password")
NONCE = re.compile(r"(?:nonce-|nonce=\"|[a-z]+-\d+-|\")[A-Za-z0-9_-]{16}(?=['\"])")
OF_RIVAL = re.compile("rival|Rival|c-theirs|/theirs")
CLOCK = re.compile(r"\d\d:\d\d:\d\d UTC")
KEY = re.compile(r"(?<=value=\")(?:[0-9a-f]{32}|[0-9a-f]{128})(?=\")")
FORM = "application/x-www-form-urlencoded"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tenants(shared_database: Database, vhost: BrokerVhost) -> AsyncIterator[Tenants]:
    settings = settings_on(shared_database, vhost)
    async with running(settings) as api, api.http(ADMIN_TOKEN) as http:
        made = await two_tenants(api.app, Client(http), shared_database)
        await Client(http).put(
            "orchestrations/daily/notifications",
            {"subscriptions": [{"event": "error", "address": OURS["address"]}]},
        )
        yield made


together = pytest.mark.asyncio(loop_scope="module")


class Question(NamedTuple):
    """A page, asked for in one way."""

    name: str
    path: str
    method: str
    operation: str
    """The call of the API that decides."""

    @property
    def parts(self) -> list[str]:
        return re.findall(r"{(\w+)(?::path)?}", self.path)

    @property
    def is_of_project(self) -> bool:
        return "project" in self.parts


def questions() -> Iterator[Question]:
    for page in PAGES:
        if page.name not in WITHOUT_A_SESSION:
            operations = dict(zip(("GET", "POST"), PAGE_ROWS[page.name], strict=True))
            for method in page.methods:
                yield Question(page.name, page.path.replace(":path", ""), method, operations[method])


def people(tenants: Tenants) -> dict[str, Caller]:
    """Who is signed in, by role."""
    return {
        kind.removesuffix(BY_COOKIE): caller
        for kind, caller in tenants.callers.items()
        if kind.endswith(BY_COOKIE)
    }


def own_token(caller: Caller) -> str:
    """What a page puts into its forms for the caller's session."""
    return form_token(caller.headers.get("Cookie", "").partition("=")[2])


async def visit(
    tenants: Tenants,
    caller: Caller,
    question: Question,
    places: Mapping[str, str],
    csrf: str | None = None,
    **headers: str,
) -> Answer:
    """Open the page, or send its form with nothing but what shows whose form it is."""
    given = {**OURS, **tenants.places, **places}
    url = question.path.format_map(given)
    fields = {"csrf": own_token(caller) if csrf is None else csrf, **FIELDS.get(question.name, {})}
    body = urlencode(fields).encode() if question.method == "POST" else None
    sent = {name: value for name, value in caller.headers.items() if name != "X-CSRF-Token"}
    more = {"Content-Type": FORM} if body is not None else {}
    return await ask(tenants.app, question.method, url, body, {**sent, **more, **headers})


def test_every_page_has_a_row() -> None:
    assert sorted([*PAGE_ROWS, *WITHOUT_A_SESSION]) == sorted(page.name for page in PAGES)
    for page in PAGES:
        if page.name in PAGE_ROWS:
            has = [method for method, call in zip(("GET", "POST"), PAGE_ROWS[page.name], strict=True)
                   if call != NOBODY]  # fmt: skip
            assert has == page.methods, page.name


@together
async def test_pages_open_what_the_api_opens(tenants: Tenants) -> None:
    """Where the API refuses, so does the page, before it looks at what was sent."""
    wrong = []
    for question in questions():
        if question.name in ENDS_SESSION and question.method == "POST":
            continue
        for role, caller in people(tenants).items():
            for headers in ({}, {"HX-Request": "true"}):
                answer = await visit(tenants, caller, question, {}, **headers)
                is_refused = row(question.operation)[role] == NO
                if (answer.status == 403) != is_refused or answer.status in (401, 500):
                    wrong.append(f"{question.method} {question.name} as {role}: {answer.status}")
                if role != "instance administrator" and OF_RIVAL.search(answer.text):
                    wrong.append(f"{question.method} {question.name} as {role} tells of others")
    assert not wrong, "\n".join(wrong)


@together
async def test_pages_are_shown_to_nobody_who_is_not_signed_in(tenants: Tenants) -> None:
    for question in questions():
        for kind in ("nothing", "old session", "session of a disabled account"):
            answer = await visit(tenants, tenants.ended[kind], question, {})
            assert answer.status == 303, (question, kind, answer.status)
            assert "/sign-in" in answer.headers["location"], (question, kind)
            answer = await visit(tenants, tenants.ended[kind], question, {}, **{"HX-Request": "true"})
            assert answer.status == 401, (question, kind, answer.status)


def told(answer: Answer, *names: str) -> Any:
    """An answer without the names asked for, and without what differs each time."""
    status, text, headers = canonical(answer, *names)
    headers["content-security-policy"] = ""
    return status, CLOCK.sub("NOW", KEY.sub("KEY", NONCE.sub("NONCE", text))), headers


@together
async def test_pages_of_a_project_of_others_are_like_none(tenants: Tenants) -> None:
    wrong = []
    for question in (each for each in questions() if each.is_of_project):
        for kind, caller, known in (
            ("admin", tenants.callers["admin by cookie"], "rival"),
            ("rival's admin", tenants.outsiders["person by cookie"], "demo"),
        ):
            there = await visit(tenants, caller, question, {"project": known})
            nowhere = await visit(tenants, caller, question, {"project": "ghost"})
            if there.status != 404 or told(there, known) != told(nowhere, "ghost"):
                wrong.append(f"{question.method} {question.name} as {kind}: {there.status} {nowhere.status}")
    assert not wrong, "\n".join(wrong)


def differing(there: Any, nowhere: Any) -> list[tuple[Any, Any]]:
    """The lines, and then what else, that are not the same."""
    lines = zip(there[1].splitlines(), nowhere[1].splitlines(), strict=False)
    pairs = [*lines, (there[0], nowhere[0]), (there[2], nowhere[2])]
    return [(one[:300] if isinstance(one, str) else one, other) for one, other in pairs if one != other][:3]


def spelt(name: str) -> list[str]:
    """How a page writes a name: also at the beginning of a sentence; of a table, its bucket as well."""
    names = [name, name.removesuffix(".t")]
    return [*names, *(f"{each[:1].upper()}{each[1:]}" for each in names)]


FOREIGN = ("orchestration", "configuration", "schedule", "trigger", "bucket", "table", "shared_with", "token",
           "person", "session", "job", "variable")  # fmt: skip


@together
async def test_ids_of_others_are_like_ids_that_do_not_exist(tenants: Tenants) -> None:
    before, wrong, count = await everything_of(tenants.database), [], 0
    foreign_ids = {**tenants.foreign, "variable": "theirs"}
    for question in questions():
        for name in (part for part in question.parts if part in FOREIGN):
            foreign = foreign_ids[name]
            ghost = ghost_like(foreign)
            for role in ("viewer", "editor", "admin"):
                caller = people(tenants)[role]
                there = await visit(tenants, caller, question, {name: foreign})
                nowhere = await visit(tenants, caller, question, {name: ghost})
                answers = told(there, *spelt(foreign)), told(nowhere, *spelt(ghost))
                count += 1
                if answers[0] != answers[1]:
                    wrong.append(f"{question.method} {question.name}, {name}, {role}: {differing(*answers)}")
    assert not wrong, "\n".join(wrong)
    assert count > 200
    assert await everything_of(tenants.database) == before


@together
async def test_opening_pages_changes_nothing(tenants: Tenants) -> None:
    before = await everything_of(tenants.database)
    for question in (each for each in questions() if each.method == "GET"):
        for caller in people(tenants).values():
            for headers in ({"HX-Request": "true"}, {"Sec-Fetch-Site": "cross-site"}):
                await visit(tenants, caller, question, {}, **headers)
    assert await everything_of(tenants.database) == before


@together
async def test_forms_of_other_sites_change_nothing(tenants: Tenants) -> None:
    before = await everything_of(tenants.database)
    caller = people(tenants)["admin"]
    forgeries: dict[str, dict[str, Any]] = {
        "no token": {"csrf": ""},
        "someone else's": {"csrf": own_token(people(tenants)["editor"])},
        "another site": {"Sec-Fetch-Site": "cross-site"},
        "another host": {"Sec-Fetch-Site": "same-site", "Origin": "http://evil.api"},
    }
    for question in (each for each in questions() if each.method == "POST"):
        for kind, forged in forgeries.items():
            answer = await visit(tenants, caller, question, {}, **forged)
            assert answer.status == 403, (question.name, kind, answer.status, answer.text)
    assert await everything_of(tenants.database) == before


NOT_COMPARED = {"catalog.sessions", "catalog.tokens"}
"""They say when each was used last."""
COMPARED_IN_PART = {"catalog.audit": "(SELECT * FROM catalog.audit WHERE action <> 'call.refused')"}
"""Refusals are recorded in samples, some time after those of an earlier call."""


async def everything_of(database: Database) -> dict[str, str]:
    """A digest of the rows of every table."""
    tables = await database.fetch(
        "SELECT table_schema || '.' || table_name FROM information_schema.tables"
        " WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"
    )
    digest = "SELECT count(*) || md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {} t"
    return {
        table: await database.fetchval(digest.format(COMPARED_IN_PART.get(table, table)))
        for (table,) in tables
        if table not in NOT_COMPARED
    }

"""Every form of every page, sent twice at once and then again: carried out once, and each answer is true."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import unquote

import pytest
import pytest_asyncio
from tests.integration.api.conftest import ADMIN_TOKEN, Client, RunningApi, running, settings_on
from tests.integration.api.crawl import Answer, Caller
from tests.integration.api.people import PASSWORD, person_with_password
from tests.integration.api.tenants import Tenants, signed_in, two_tenants
from tests.integration.api.test_api_retries import failed_run
from tests.integration.api.test_web_access_table import people
from tests.integration.api.test_web_hostile_forms import Forms, opened, sent
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.page_rows import WITHOUT_A_SESSION

from orchestrator_api.web.addresses import PAGES
from orchestrator_api.web.runs import landing

ADMINISTERED = ("/all-projects", "/components", "/people")
UNRECORDED = ("change_tasks", "add_tasks", "move_task", "discard_tasks")
"""Drafts are one's own."""
PROCESS = '"type": "extractor", "executor": "process", "command": ["true"]'
DAILY = "/projects/demo/orchestrations/daily"
ONE = "/projects/demo/configurations/demo-extractor/one"
REFUSED_AGAIN = "the second answer says that it is gone, or that it is over"
SAME = "the second does nothing: what it asks for is so already"


@dataclass(frozen=True)
class Row:
    """A form, where it goes, and what is filled in."""

    name: str
    url: str
    fields: Mapping[str, str] = field(default_factory=dict)
    repeated: str = ""
    """Why a form without a key does no harm; empty for one with a key."""
    page: str = ""
    """Where the form is shown, if elsewhere than where it is sent."""


SHARED = "/projects/demo/buckets/in.c-x/shares"
PEOPLE = "/people"
BELOW = "/projects/demo"
TABLE = {"table:in.c-x.t": "true", "mode": "ignore", "cool_down": "5m"}
OPS = {"address": "a@example.com"}
NOTIFIED = f"{DAILY}/notifications"
FRESH = f"{BELOW}/configurations/demo-extractor/fresh"
TIMES = {
    "preset": "custom",
    "cron": "30 5 * * *",
    "timezone": "UTC",
    "overlap": "one_waiting",
    "misfire": "fire_once",
    "catch_up": "1d",
}
ROWS = (
    Row("new_project", "/all-projects/new", {"id": "fresh", "name": "Fresh"}),
    Row("register_component", "/components/-/new", {
        "json": f'{{"component": "mine", "name": "My", {PROCESS}}}'}),
    Row("edit_component", "/components/mine/edit",
        {"json": f'{{"name": "Mine", {PROCESS}}}'}),
    Row("new_variable", f"{BELOW}/variables/-/new", {"name": "fresh", "value": "1"}),
    Row("edit_variable", f"{BELOW}/variables/fresh", {"value": "2"}),
    Row("remove_variable", f"{BELOW}/variables/fresh/removal"),
    Row("new_token", f"{BELOW}/tokens/new", {"name": "fresh", "which": "all"}),
    Row("edit_token", f"{BELOW}/tokens/TOKEN", {"name": "renamed", "lasts": "same"}),
    Row("refresh_token", f"{BELOW}/tokens/TOKEN/refresh"),
    Row("revoke_token", f"{BELOW}/tokens/TOKEN/revocation"),
    Row("invite_member", f"{BELOW}/members/new", {"email": "member@example.com", "role": "viewer"}),
    Row("change_member", f"{BELOW}/members/MEMBER", {"role": "editor"}),
    Row("remove_member", f"{BELOW}/members/MEMBER/removal"),
    Row("invite_person", f"{PEOPLE}/new", {"email": "person@example.com", "link": "shown"}),
    Row("change_person", f"{PEOPLE}/PERSON", {"name": "Renamed", "may_sign_in": "true"}),
    Row("reset_person", f"{PEOPLE}/PERSON/password", {"link": "shown"}),
    Row("new_orchestration", f"{BELOW}/new-orchestration", {"name": "Fresh run"}),
    Row("edit_orchestration", f"{DAILY}/edit", {"name": "Daily", "labels": "one, two"}),
    Row("duplicate_orchestration", f"{DAILY}/duplicate", {"name": "Daily again", "schedules": "true"}),
    Row("run_orchestration", f"{DAILY}/runs/new", {"task:demo-extractor/one": "true"}),
    Row("refresh_orchestration_token", f"{DAILY}/token"),
    Row("new_schedule", f"{DAILY}/new-schedule", {"name": "fresh", **TIMES}),
    Row("schedule", f"{DAILY}/schedules/mornings", {**TIMES, "cron": "45 6 * * *"}),
    Row("switch_schedule", f"{DAILY}/schedules/mornings/enabled", {"enabled": "false"}, SAME),
    Row("backfill_orchestration", f"{DAILY}/backfill", {
        "schedule": "mornings", "from": "2026-01-05 00:00", "to": "2026-01-06 00:00", "confirm": "true",
        "planned": "mornings|2026-01-05 00:00|2026-01-06 00:00"}),
    Row("remove_schedule", f"{DAILY}/schedules/fresh/removal", {}, REFUSED_AGAIN, f"{DAILY}/schedules/fresh"),
    Row("restore_schedule", f"{DAILY}/schedules/fresh/restore", {}, REFUSED_AGAIN),
    Row("new_trigger", f"{DAILY}/new-trigger", {"name": "fresh", **TABLE}),
    Row("trigger", f"{DAILY}/triggers/fresh", {**TABLE, "cool_down": "7m"}),
    Row("switch_trigger", f"{DAILY}/triggers/fresh/enabled", {"enabled": "false"}, SAME),
    Row("reset_trigger", f"{DAILY}/triggers/fresh/reset"),
    Row("remove_trigger", f"{DAILY}/triggers/fresh/removal"),
    Row("new_notification", f"{NOTIFIED}/new", {**OPS, "event:error": "true"}),
    Row("notification", f"{NOTIFIED}/a@example.com", {**OPS, "event:success": "true"}),
    Row("test_notification", f"{NOTIFIED}/a@example.com/test", page=NOTIFIED),
    Row("remove_notification", f"{NOTIFIED}/a@example.com/removal", {}, REFUSED_AGAIN),
    Row("switch_orchestration", f"{DAILY}/enabled", {"enabled": "false"}, SAME),
    Row("create_configuration", f"{BELOW}/configurations/demo-extractor/-/new", {
        "name": "Fresh", "id": "fresh", "side": "json", "json": '{"rows": 1}', "turn": "save"}),
    Row("edit_configuration", f"{FRESH}/edit", {
        "name": "Fresher", "side": "json", "json": '{"rows": 2}', "turn": "save"}),
    Row("copy_configuration", f"{ONE}/copy", {"id": "copied", "name": "Copied"}),
    Row("run_configuration", f"{ONE}/run"),
    Row("automate_configuration", f"{ONE}/automation", {"name": "Automated", "preset": "later"}),
    Row("restore_configuration_version", f"{FRESH}/versions/1/restore", {}, SAME),
    Row("trash_configuration", f"{FRESH}/trash", {}, REFUSED_AGAIN),
    Row("restore_configuration", f"{FRESH}/restore", {}, REFUSED_AGAIN),
    Row("share_bucket", f"{SHARED}/new", {"shared_with": "fresh"}),
    Row("unshare_bucket", f"{SHARED}/fresh/end"),
    Row("change_tasks", f"{DAILY}/tasks/change", {"duplicate": "demo-extractor/one"}, page=f"{DAILY}/tasks"),
    Row("add_tasks", f"{DAILY}/tasks/add", {"add:demo-extractor/two": "true"}),
    Row("move_task", f"{DAILY}/tasks/move", {"move": "demo-extractor/one", "name": "New"},
        page=f"{DAILY}/tasks/move?task=demo-extractor/one"),
    Row("save_tasks", f"{DAILY}/tasks/save", {"note": "saved"}, page=f"{DAILY}/tasks"),
    Row("restore_version", f"{DAILY}/versions/1/restore", {"note": "as it was"}),
    Row("change_tasks", f"{DAILY}/tasks/change", {"duplicate": "demo-extractor/one"}, page=f"{DAILY}/tasks"),
    Row("discard_tasks", f"{DAILY}/tasks/discard"),
    Row("trash_orchestration", f"{BELOW}/orchestrations/another/trash", {}, REFUSED_AGAIN),
    Row("restore_orchestration", f"{BELOW}/orchestrations/another/restore", {}, REFUSED_AGAIN),
    Row("import_definitions", f"{BELOW}/import", {
        "yaml": "variables:\n  imported: '1'\n", "plan": "PLAN"}),
    Row("project_settings", f"{BELOW}/settings", {"name": "Demo again", "parallel_limit": "9"}),
    Row("terminate_job", f"{BELOW}/jobs/JOB/termination"),
    Row("retry_run", f"{DAILY}/runs/77/retry", {"task:demo-extractor/one": "true", "confirm": "true"}),
)  # fmt: skip

NOT_HERE: Mapping[str, str] = {
    "account": "one's own preferences: sent twice, they are the same",
    "own_password": "test_a_password_that_is_changed_twice",
    "end_session": "ends a session, and ends it again",
    "end_all_sessions": "ends the session of whoever sends it",
    "revoke_login": "ends a login, and ends it again",
    "revoke_administrator_token": "revoked once",
    "unlink_person": "there is no identity provider here",
    "load_demo": "its project is full; applies definitions, which change nothing when applied again",
    "terminate_run": "as terminate_job",
    "replay_dead_letter": "needs a dead letter; the broker gives it to one of two",
    "drop_dead_letter": "likewise",
    "purge_from_trash": "what is gone is not there the second time",
    "restore_from_trash": "as restore_orchestration",
    "new_configuration": "leads to the editor, and makes nothing",
    "settings_task": "as change_tasks",
    **dict.fromkeys(
        (
            "check_component",
            "check_configuration",
            "check_new_configuration",
            "schedule_preview",
            "trigger_preview",
        ),
        "asks only",
    ),
}
KEPT = ("once", "etag", "key", "draft", "plan", "version")
"""Fields that say which form it is, and of what it was made."""
SECRET = re.compile(r"orc_[\w-]{20,}|/links/[\w.-]{20,}")
SHOWS_SECRET = ("new_token", "refresh_token", "invite_person", "reset_person")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tenants(shared_database: Database, vhost: BrokerVhost) -> AsyncIterator[Tenants]:
    settings = settings_on(shared_database, vhost)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(landing, "LOOKS", 1)  # no runner gives the runs numbers
        async with running(settings) as api, api.http(ADMIN_TOKEN) as http:
            yield await furnished_twice(api, Client(http), shared_database)


async def furnished_twice(api: RunningApi, demo: Client, database: Database) -> Tenants:
    """Two projects, and a run that failed."""
    made = await two_tenants(api.app, demo, database)
    await failed_run(database, number=77)
    person = await person_with_password(demo, database, "eva@example.com", role="editor")
    made.callers["eva by cookie"] = await signed_in(database, person)
    return made


together = pytest.mark.asyncio(loop_scope="module")


async def places(tenants: Tenants) -> dict[str, str]:
    """What parts of addresses stand for, which are only known as it goes on."""
    found = {
        "TOKEN": "SELECT id FROM catalog.tokens WHERE name IN ('fresh', 'renamed') LIMIT 1",
        "MEMBER": "SELECT id FROM catalog.people WHERE email = 'member@example.com'",
        "PERSON": "SELECT id FROM catalog.people WHERE email = 'person@example.com'",
        "JOB": "SELECT id FROM jobs.jobs WHERE status = 'processing' AND project = 'demo' LIMIT 1",
    }
    return {name: str(await tenants.database.fetchval(query)) for name, query in found.items()}


async def form_of(tenants: Tenants, caller: Caller, row: Row, url: str) -> dict[str, str]:
    """What the form sends: fields of the page, and what was filled in."""
    parser = Forms()
    parser.feed((await opened(tenants, caller, row.page or url)).text)
    kept = {name: text for name, text in unquoted(parser).get(url, {}).items() if name in KEPT}
    return {**kept, **row.fields}


def unquoted(parser: Forms) -> dict[str, dict[str, str]]:
    """The forms by the address where each goes, as it is written here."""
    return {unquote(action): fields for action, fields in parser.forms.items()}


async def planned(tenants: Tenants, caller: Caller, url: str, fields: dict[str, str]) -> None:
    """Look at the plan of an import first, as people do."""
    if fields.get("plan") == "PLAN":
        shown = await plainly(tenants, caller, url, {**fields, "plan": ""})
        fields["plan"] = next(iter(re.findall(r'name="plan" value="([^"]+)"', shown.text)), shown.text)


async def plainly(tenants: Tenants, caller: Caller, url: str, fields: Mapping[str, str]) -> Answer:
    """A form as a browser without scripts sends it."""
    return await sent(tenants, caller, url, fields, **{"HX-Request": "false"})


async def counted(database: Database) -> Counter[str]:
    """What was recorded, by action."""
    rows = await database.fetch("SELECT action, count(*) FROM catalog.audit GROUP BY 1")
    return Counter({row["action"]: row["count"] for row in rows})


def test_every_form_has_a_row() -> None:
    sending = {page.name for page in PAGES if "POST" in page.methods}
    assert sending == {row.name for row in ROWS} | set(NOT_HERE) | sending & set(WITHOUT_A_SESSION)


@together
async def test_a_form_sent_three_times_is_carried_out_once(tenants: Tenants) -> None:
    wrong = []
    for row in ROWS:
        caller = people(tenants)["instance administrator" if row.url.startswith(ADMINISTERED) else "admin"]
        url = row.url
        for name, value in (await places(tenants)).items():
            url = url.replace(name, value)
        fields = await form_of(tenants, caller, row, url)
        await planned(tenants, caller, url, fields)
        before = await counted(tenants.database)
        two = await asyncio.gather(*(plainly(tenants, caller, url, fields) for _ in range(2)))
        answers = [*two, await plainly(tenants, caller, url, fields)]
        done = await counted(tenants.database) - before
        if failed := amiss(row, fields, answers, done):
            wrong.append(f"{row.name}: {failed}; {[each.status for each in answers]} {dict(done)}")
    assert not wrong, "\n".join(wrong)


def said(answer: Answer) -> str:
    """What is wrong, as the page says it."""
    text = answer.text.partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())[:600]


def amiss(row: Row, fields: Mapping[str, str], answers: list[Answer], done: Counter[str]) -> str:
    """What is wrong with the answers to a form, or with what they have changed."""
    statuses = [each.status for each in answers]
    if min(statuses) >= 400 or max(statuses) >= 500:
        return f"was not carried out: {said(answers[0])}"
    if not done and row.name not in UNRECORDED:
        return "was not recorded"
    if any(count > 1 for count in done.values()):
        return "was carried out more than once"
    if row.repeated:
        return ""
    if max(statuses) >= 400:
        return "said no, although it was done"
    if not {"once", "key"} & set(fields):
        return "has no key"
    if row.name in SHOWS_SECRET:
        shown = [bool(SECRET.search(each.text)) for each in answers]
        return "" if sorted(shown) == [False, False, True] else f"showed a secret: {shown}"
    places = {each.headers.get("location", "") for each in answers}
    return "" if len(places) == 1 else f"led to {places}"


@together
async def test_a_form_that_is_changed_after_back_is_another_one(tenants: Tenants) -> None:
    """The browser went back to a page that it kept, so the form has the key that it had."""
    caller = people(tenants)["admin"]
    for url, first, second, action in (
        (f"{BELOW}/new-orchestration", {"name": "Back"}, {"name": "Back and on"}, "configuration.created"),
        (f"{DAILY}/runs/new", {"task:demo-extractor/one": "true"}, {"task:demo-extractor/two": "true"},
         "run.requested"),
    ):  # fmt: skip
        fields = await form_of(tenants, caller, Row("", url, {"confirm": "true"}), url)
        before = await counted(tenants.database)
        for filled in (first, first, second, second):
            answer = await plainly(tenants, caller, url, {**fields, **filled})
            assert answer.status == 303, said(answer)
        assert (await counted(tenants.database) - before)[action] == 2


@together
async def test_a_form_that_comes_late_is_refused_and_changes_nothing(tenants: Tenants) -> None:
    """What it is about is in the trash by then."""
    caller = people(tenants)["admin"]
    made = next(row for row in ROWS if row.name == "create_configuration")
    # Another test may have made it, or have removed it.
    await plainly(tenants, caller, made.url, await form_of(tenants, caller, made, made.url))
    late = [replace(row, url=row.url.replace(ONE, FRESH)) for row in ROWS if row.url.startswith((DAILY, ONE))]
    filled = [(row, await form_of(tenants, caller, row, row.url)) for row in late]
    for place in (DAILY, FRESH):
        gone = await plainly(tenants, caller, f"{place}/trash", {})
        assert gone.status == 303, said(gone)
    before, wrong = await counted(tenants.database), []
    for row, fields in filled:
        answer = await plainly(tenants, caller, row.url, {**fields, "once": "0" * 32})
        if not 400 <= answer.status < 500:
            wrong.append(f"{row.name}: {answer.status} {said(answer)}")
    assert not wrong, "\n".join(wrong)
    assert await counted(tenants.database) - before == {}


@together
async def test_a_password_that_is_changed_twice(tenants: Tenants) -> None:
    """The second finds the new password, and is told so, not that the old one is wrong."""
    caller, url = people(tenants)["eva"], "/account/password"
    new = f"{PASSWORD} and more"
    given = {"current_password": PASSWORD, "new_password": new, "repeated": new}
    fields = await form_of(tenants, caller, Row("own_password", url, given), url)
    before = await counted(tenants.database)
    for _ in range(2):
        answer = await plainly(tenants, caller, url, fields)
        assert answer.status == 303, said(answer)
    assert await counted(tenants.database) - before == {"password.changed": 1}
    wrong = await plainly(tenants, caller, url, {**fields, "new_password": "x" * 20, "repeated": "x" * 20})
    assert wrong.status == 422

"""What a search offers, and what was visited last."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.runs.rows import LastRun
from orchestrator_api.search.rows import (
    FoundConfiguration,
    FoundJob,
    FoundRun,
    FoundTable,
)
from orchestrator_api.search.service import Found, wanted
from orchestrator_api.web import visited
from orchestrator_api.web.search.results import Results, typed
from orchestrator_api.web.sections import Section
from orchestrator_api.web.urls import Urls
from orchestrator_api.web.visited import Visit

ID = UUID(int=7)
AT = datetime(2026, 11, 30, tzinfo=UTC)
PATHS = {
    "project": "/projects/{project}",
    "orchestration": "/projects/{project}/orchestrations/{orchestration}",
    "run_orchestration": "/projects/{project}/orchestrations/{orchestration}/runs/new",
    "run": "/projects/{project}/orchestrations/{orchestration}/runs/{number}",
    "configuration": "/projects/{project}/configurations/{component}/{configuration}",
    "table": "/projects/{project}/tables/{table}",
    "jobs": "/projects/{project}/jobs",
    "job": "/projects/{project}/jobs/{job}",
    "account": "/account",
    "components": "/components",
}
FOUND = Found(
    [FoundConfiguration("orchestrator", "campaigns", "Campaigns")],
    [FoundRun(ID, "campaigns", 42, "error")],
    [FoundConfiguration("csv", "out", "Out")],
    [FoundTable("demo", "in.a"), FoundTable("finance", "in.b")],
    [FoundJob(ID, "csv", "out", 3, "success")],
)


def offered(verb: str = "", last: dict[str, LastRun] | None = None, **more: Any) -> dict[str, list[str]]:
    given = {"urls": Urls(PATHS), "project": "demo", "may_run": True, **more}
    groups = Results(**given).groups(verb, "camp", FOUND, last or {})
    return {group.label: [option.label for option in group.options] for group in groups}


def test_everything_found_leads_to_its_page() -> None:
    groups = Results(Urls(PATHS), "demo", True).groups("", "camp", FOUND, {})
    assert [option.url for group in groups for option in group.options] == [
        "/projects/demo/orchestrations/campaigns",
        "/projects/demo/orchestrations/campaigns/runs/42",
        "/projects/demo/configurations/csv/out",
        "/projects/demo/tables/in.a",
        "/projects/demo/tables/in.b?owner=finance",
        f"/projects/demo/jobs/{ID}",
        "/projects/demo/orchestrations/campaigns/runs/new",
        "/projects/demo/jobs?q=%22camp%22",
    ]
    assert [option.opens for group in groups for option in group.options].count(True) == 1


def test_what_can_be_done_depends_on_the_person_and_the_run() -> None:
    assert offered()["Do"] == ["Run Campaigns…"]
    assert offered(may_run=False)["Do"] == []
    waits = LastRun("campaigns", ID, 43, "waiting", "manual", AT, None, None)
    assert offered(last={"campaigns": waits})["Do"] == ["Run Campaigns…", "Why does Campaigns wait?"]
    assert next(iter(offered("why", {"campaigns": waits}).items())) == ("Do", ["Why does Campaigns wait?"])
    assert next(iter(offered("run"))) == "Do"


def test_pages_that_do_not_exist_are_not_offered() -> None:
    few = Urls({name: path for name, path in PATHS.items() if name not in ("configuration", "table")})
    shown = offered(urls=few)
    assert (shown["Configurations"], shown["Tables"]) == ([], [])


def test_sections_are_found_by_name() -> None:
    sections = [Section("jobs", "Jobs", "x"), Section("components", "Components", "x", "Instance")]
    results = Results(Urls(PATHS), "demo", True)
    assert [each.url for each in results.pages(sections, "")[0].options] == [
        "/projects/demo/jobs",
        "/components",
        "/account",
    ]
    assert [each.label for each in results.pages(sections, "JOB")[0].options] == ["Jobs"]


@pytest.mark.parametrize(
    ("text", "verb", "rest"),
    [
        ("run campaigns", "run", "campaigns"),
        ("Why nightly sales", "why", "nightly sales"),
        ("run", "", "run"),
        ("runner", "", "runner"),
    ],
)
def test_a_verb_and_what_it_is_about(text: str, verb: str, rest: str) -> None:
    assert typed(text) == (verb, rest)


def test_a_text_is_words_a_run_or_a_job() -> None:
    assert wanted("Nightly-Sales 42").asked.words == ["nightly", "sales", "42"]
    run = wanted("campaigns #42").run
    assert run is not None
    assert (run[0].text, run[1]) == ("campaigns", 42)
    assert wanted("campaigns").run is None
    assert wanted("9" * 16).run is None
    assert wanted(f" {ID} ").job_id == ID


def asked(path: str, cookie: str = "", method: str = "GET") -> Request:
    app = Starlette()
    app.state.page_paths = PATHS
    headers = [(b"cookie", f"{visited.COOKIE}={cookie}".encode())] if cookie else []
    scope = {"type": "http", "method": method, "path": path, "headers": headers, "query_string": b""}
    return Request({**scope, "app": app, "root_path": "", "server": ("x", 80), "scheme": "http"})


def kept(path: str, title: str, cookie: str = "", method: str = "GET") -> str:
    response = Response()
    visited.keep(asked(path, cookie, method), response, title)
    return response.headers.get("set-cookie", "").partition(";")[0].partition("=")[2].strip('"')


def test_the_last_things_of_a_project_are_remembered_newest_first() -> None:
    cookie = ""
    for number in range(12):
        cookie = kept(f"/projects/demo/orchestrations/o{number}", f"Wöche | {number} !", cookie)
    cookie = kept("/projects/finance/jobs/x", "finance's", cookie)
    cookie = kept("/projects/demo/orchestrations/o9", "again", cookie)
    found = visited.recent(asked("/", cookie), "demo")
    assert found[0] == Visit("/projects/demo/orchestrations/o9", "again")
    assert [each.title for each in found[1:]] == [f"Wöche | {n} !" for n in (11, 10, 8, 7)]
    assert [each.title for each in visited.recent(asked("/", cookie), "finance")] == ["finance's"]
    for number in range(9):
        cookie = kept(f"/projects/demo/tables/{number}{'x' * 200}", "表" * 80, cookie)
    assert 2000 < len(cookie) <= visited.LONGEST
    assert visited.recent(asked("/", cookie), "demo")[0].title == "表" * 60


def test_lists_forms_and_nonsense_are_not_remembered() -> None:
    assert kept("/projects/demo/jobs", "Jobs") == ""
    assert kept("/account/browsers/x/y", "Account") == ""
    assert kept("/projects/demo/jobs/x", "x", method="POST") == ""
    assert kept(f"/projects/demo/jobs/{'x' * 300}", "x") == ""
    for cookie in ("", "%", "a|b|c", "/projects/demo/%0d!x", "https%3A%2F%2Fother%2F!x", "//other/x!x"):
        assert visited.recent(asked("/", cookie), "demo") == []

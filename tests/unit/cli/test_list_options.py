"""Options of lists: what they ask the server for."""

from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from tests.support.answering import Answering

from orchestrator_cli.client import ApiClient
from orchestrator_cli.context import Context
from orchestrator_cli.main import main


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        query = parse_qs(request.url.query.decode())
        query.pop("limit", None)
        seen.append({"path": request.url.path.rpartition("/")[2], **query})
        return httpx.Response(200, json={"items": [], "next": None})

    monkeypatch.setattr(
        Context, "client", lambda _: ApiClient("http://s:1", "t", transport=Answering(answer))
    )
    monkeypatch.setenv("ORCHESTRATOR_PROJECT", "demo")
    monkeypatch.setenv("ORCHESTRATOR_URL", "http://s:1")
    return seen


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            "jobs list --status error --status warning --origin schedule --longer-than 5m --search db-7"
            " --since 2026-11-21T08:00:00Z --configuration orchestrator/daily",
            {
                "path": "jobs",
                "status": ["error", "warning"],
                "origin": ["schedule"],
                "longer_than_seconds": ["300"],
                "search": ["db-7"],
                "since": ["2026-11-21T08:00:00.000000Z"],
                "component": ["orchestrator"],
                "configuration": ["daily"],
            },
        ),
        ("jobs list", {"path": "jobs"}),
        ("jobs list --sort=-duration", {"path": "jobs", "sort": ["-duration"]}),
        ("orchestrations list", {"path": "orchestrations"}),
        ("orchestrations list --sort=next_fire", {"path": "orchestrations", "sort": ["next_fire"]}),
        (
            "orchestrations list --search x --disabled",
            {"path": "orchestrations", "search": ["x"], "enabled": ["false"]},
        ),
        (
            "configurations list --component c --search x",
            {"path": "configurations", "component": ["c"], "search": ["x"]},
        ),
        ("orchestrations list --sort=-name", {"path": "orchestrations", "sort": ["-name"]}),
        ("configurations list --sort name", {"path": "configurations", "sort": ["name"]}),
        ("orchestrations list --sort=-updated_at", {"path": "orchestrations", "sort": ["-updated_at"]}),
        ("buckets list --shared with_me", {"path": "buckets", "shared": ["with_me"]}),
        ("deliveries --orchestration daily", {"path": "deliveries", "orchestration": ["daily"]}),
    ],
)
def test_filters_are_passed_on(asked: list[dict[str, Any]], command: str, expected: dict[str, Any]) -> None:
    assert main(command.split()) == 0
    assert asked == [expected]


@pytest.mark.parametrize(
    ("command", "fields", "shown"),
    [
        ("jobs list --status bad", ["status.0"], "--status: is wrong"),
        ("jobs list --status x --longer-than 5m", ["status.1", "longer_than_seconds"],
         "2 fields are invalid\n  --status: is wrong\n  --longer-than: is wrong"),
        ("tokens create x --scope bad", ["scopes.0"], "--scope: is wrong"),
        ("tokens create x --scope read --expires soon", ["expires_at"], "--expires: is wrong"),
        ("tokens create X --scope read", ["name"], "NAME: is wrong"),
        ("automate a/b --every 60", ["schedule.every_seconds"], "--every: is wrong"),
        ("members invite a@b.c boss", ["role"], "ROLE: is wrong"),
        ("run daily --param a=1 --task b", ["parameters.task"], "parameters.task: is wrong"),
        ("run daily --task b", ["tasks.0"], "--task: is wrong"),
    ],
)  # fmt: skip
def test_refusals_name_the_option_and_not_the_field(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    fields: list[str],
    shown: str,
) -> None:
    errors = [{"field": field, "detail": "is wrong"} for field in fields]
    detail = f"{fields[0]}: is wrong" if len(fields) == 1 else f"{len(fields)} fields are invalid"
    answering = Answering(lambda _: httpx.Response(422, json={"detail": detail, "errors": errors}))
    monkeypatch.setattr(Context, "client", lambda _: ApiClient("http://s:1", "t", transport=answering))
    monkeypatch.setenv("ORCHESTRATOR_PROJECT", "demo")
    assert main(command.split()) == 2
    assert capsys.readouterr().err == f"error: {shown}\n"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("tokens list", "No tokens yet. Make one with `orchestrator tokens create NAME --scope read`."),
        ("jobs list", "No jobs yet. Run something with `orchestrator run ORCHESTRATION`."),
        ("jobs list --status error", "No jobs match."),
        ("jobs overlaps daily", "No fire of daily was merged or skipped."),
        ("orchestrations list --search x", "No orchestrations match."),
        ("configurations list", "No configurations yet."),
        ("members list", "No members yet."),
        ("people list", "No accounts yet."),
        ("projects list", "No projects that you may see."),
        ("components list", "No components yet."),
        ("variables list", "No variables yet. Set one with"),
        ("tables list", "No tables yet"),
        ("buckets list", "No buckets yet"),
        ("buckets shares in.c-a", "in.c-a is not shared. Share it with"),
        ("trash list", "The trash is empty."),
        ("schedules list daily", "daily has no schedules."),
        ("triggers list daily", "daily has no triggers."),
        ("deliveries", "No mails yet."),
        ("audit", "No records match."),
        ("usages a/b", "No task runs a/b."),
        ("dead-letters list", "No dead letters"),
    ],
)
def test_an_empty_list_says_so_in_a_sentence(
    asked: list[dict[str, Any]], capsys: pytest.CaptureFixture[str], command: str, told: str
) -> None:
    assert main(command.split()) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(told)
    assert main([*command.split(), "--json"]) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("[]\n", "")


@pytest.mark.parametrize("option", ["--longer-than=5", "--longer-than=fast", "--since=yesterday"])
def test_wrong_times_are_refused(
    asked: list[dict[str, Any]], capsys: pytest.CaptureFixture[str], option: str
) -> None:
    assert main(["jobs", "list", option]) == 2
    assert option.partition("=")[2] in capsys.readouterr().err
    assert asked == []

"""The command line on the real api: switches, previews, shares, notifications."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.integration.api.conftest import ADMIN_TOKEN, Client, orchestration
from tests.support.in_process_cli import CommandLine

from orchestrator_cli.failures import ExitCode


@pytest.fixture
async def cli(furnished: Client, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    await furnished.put("orchestrations/daily/schedules/nightly", {"cron": "30 5 * * *"}, status=201)
    await furnished.put("orchestrations/daily/triggers/fresh", {"tables": ["in.c-x.a"]}, status=201)
    return CommandLine(furnished.http, ADMIN_TOKEN, monkeypatch)


async def json_of(cli: CommandLine, capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert await cli.run(*arguments, "--output", "json") == ExitCode.OK
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (("orchestrations", "daily"), "orchestrations/daily"),
        (("schedules", "daily", "nightly"), "orchestrations/daily/schedules/nightly"),
        (("triggers", "daily", "fresh"), "orchestrations/daily/triggers/fresh"),
    ],
)
async def test_switching_changes_nothing_else(
    cli: CommandLine,
    furnished: Client,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    path: str,
) -> None:
    kind, *names = words
    before = await furnished.get(path)
    assert (await json_of(cli, capsys, kind, "disable", *names))["enabled"] is False
    assert (await furnished.get(path))["enabled"] is False
    assert await cli.run(kind, "enable", *names) == ExitCode.OK
    assert capsys.readouterr().out == f"enabled {' / '.join(names)}\n"
    changing = ("version", "etag", "next_at", "schedules", "triggers")
    after = await furnished.get(path)
    assert {**after, **dict.fromkeys(changing)} == {**before, **dict.fromkeys(changing)}


async def test_switching_what_is_not_there_says_so(
    cli: CommandLine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await cli.run("schedules", "enable", "daily", "weekly") == ExitCode.BAD_INPUT
    assert "weekly" in capsys.readouterr().err


async def test_schedules_and_triggers_are_listed(
    cli: CommandLine, capsys: pytest.CaptureFixture[str]
) -> None:
    (schedule,) = await json_of(cli, capsys, "schedules", "list", "daily")
    assert (schedule["name"], schedule["cron"]) == ("nightly", "30 5 * * *")
    assert await cli.run("schedules", "list", "daily") == ExitCode.OK
    assert "30 5 * * *" in capsys.readouterr().out
    assert await cli.run("triggers", "list", "daily") == ExitCode.OK
    assert capsys.readouterr().out.splitlines()[1].split() == ["fresh", "in.c-x.a"]


async def test_the_next_fires_of_saved_and_unsaved_times(
    cli: CommandLine, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = await json_of(cli, capsys, "schedules", "preview", "daily", "nightly")
    given = await json_of(cli, capsys, "schedules", "preview", "--cron", "30 5 * * *")
    assert saved == given
    assert [fire["at"][11:16] for fire in saved["fires"]] == ["05:30"] * 5
    assert await cli.run("schedules", "preview", "--every", "45m") == ExitCode.OK
    words, *lines = capsys.readouterr().out.splitlines()
    assert (words, len(lines)) == ("Every 45 minutes (UTC)", 6)
    assert await cli.run("schedules", "preview", "--cron", "30 2 * * *", "--timezone", "Europe/Prague") == 0
    printed = capsys.readouterr().out
    assert "Every day at 02:30 (Europe/Prague)" in printed
    assert "first of two" in printed
    assert await cli.run("schedules", "presets", "--at", "02:30") == ExitCode.OK
    assert "30 2 * * 1-5" in capsys.readouterr().out
    for wrong in (["daily"], [], ["--cron", "0 0 * * *", "--every", "5m"], ["--every", "soon"]):
        assert await cli.run("schedules", "preview", *wrong) == ExitCode.BAD_INPUT


async def test_a_bucket_is_shared_and_unshared(
    cli: CommandLine, furnished: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    await furnished.post("/v1/projects", {"id": "other"})
    assert await cli.run("buckets", "share", "in.c-sales", "other") == ExitCode.OK
    (share,) = await json_of(cli, capsys, "buckets", "shares", "in.c-sales")
    assert share["shared_with"] == "other"
    assert await cli.run("buckets", "unshare", "in.c-sales", "other") == ExitCode.OK
    assert await json_of(cli, capsys, "buckets", "shares", "in.c-sales") == []


async def test_who_is_notified(
    cli: CommandLine, furnished: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = [{"event": "waiting_long", "address": "a@example.com", "minutes": 45}]
    await furnished.put("orchestrations/daily/notifications", {"subscriptions": wanted})
    assert await cli.run("notifications", "list", "daily") == ExitCode.OK
    row = capsys.readouterr().out.splitlines()[1].split()
    assert row == ["a@example.com", "waiting", "long", "more", "than", "45", "minutes"]


async def test_orchestrations_are_filtered_and_counted(
    cli: CommandLine, furnished: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    filters = ("--status", "never_run", "--starts", "time", "--label", "shop")
    await furnished.put("orchestrations/daily", {**orchestration("one"), "labels": ["shop"]})
    (found,) = await json_of(cli, capsys, "orchestrations", "list", *filters)
    assert found["id"] == "daily"
    assert await json_of(cli, capsys, "orchestrations", "list", "--status", "failed") == []
    assert await cli.run("orchestrations", "counts") == ExitCode.OK
    counts = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["never", "run", "1"] in counts
    assert ["label", "shop", "1"] in counts
    assert await cli.run("attention") == ExitCode.OK
    assert "nothing needs attention" in capsys.readouterr().out


async def test_a_draft_is_edited_and_saved(
    cli: CommandLine, furnished: Client, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    draft = ("orchestrations", "draft")
    assert await cli.run(*draft, "show", "daily") == ExitCode.OK
    assert "no draft; these are the tasks of version 1" in capsys.readouterr().out
    assert await cli.run(*draft, "move", "daily", "demo-extractor/two", "--to", "#1") == ExitCode.OK
    assert capsys.readouterr().out.splitlines() == [
        "#1 Phase one",
        "     demo-extractor/one",
        "     demo-extractor/two",
        "a draft of 2 changes from version 1",
        "  Phase Phase two is gone",
        "  two moved from Phase two to Phase one",
        "undo takes back: two moved from Phase two to Phase one",
    ]
    file = tmp_path / "operations.json"
    file.write_text('[{"operation": "duplicate_task", "task": "demo-extractor/two"}]')
    assert await cli.run(*draft, "apply", "daily", str(file)) == ExitCode.OK
    (warning,) = capsys.readouterr().err.splitlines()
    assert warning.startswith("warning: demo-extractor/two-2: Runs the same configuration as")
    (check,) = (await json_of(cli, capsys, *draft, "show", "daily"))["checks"]
    assert await cli.run(*draft, "keep", "daily", check["id"]) == ExitCode.OK
    assert capsys.readouterr().err == ""
    assert await cli.run(*draft, "undo", "daily") == ExitCode.OK
    assert await cli.run(*draft, "redo", "daily") == ExitCode.OK
    await furnished.put("orchestrations/daily", orchestration("one", note="mine"))
    assert await cli.run(*draft, "save", "daily") == ExitCode.BAD_INPUT
    assert "put your tasks on top of it" in capsys.readouterr().err
    assert await cli.run(*draft, "show", "daily") == ExitCode.OK
    assert "admin@example.com has saved version 2 meanwhile: mine" in capsys.readouterr().out
    assert await cli.run(*draft, "resolve", "daily", "mine", "--version", "2") == ExitCode.OK
    capsys.readouterr()
    assert await cli.run(*draft, "save", "daily", "--note", "drafted") == ExitCode.OK
    assert capsys.readouterr().out == "saved as version 3\n"
    assert len((await furnished.get("orchestrations/daily"))["phases"][0]["tasks"]) == 3
    assert await cli.run(*draft, "discard", "daily") == ExitCode.OK
    file.write_text("{")
    assert await cli.run(*draft, "apply", "daily", str(file)) == ExitCode.BAD_INPUT

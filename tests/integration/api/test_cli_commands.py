"""The command line on the real api: switches, previews, shares, notifications."""

import json
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

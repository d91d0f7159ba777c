"""Definitions on the command line, on the real api: plan, question, apply, prune, export, diff, secrets."""

import io
from pathlib import Path
from typing import Any

import pytest
from tests.integration.api.conftest import ADMIN_TOKEN, Client
from tests.support.in_process_cli import CommandLine

from orchestrator_cli.failures import ExitCode

FILES = """
variables: {region: eu, "#word": "${ENV:WORD}"}
---
bucket: in.c-sales
shared_with: [other, another]
---
configuration: demo-extractor/one
parameters: {rows: 5, "#password": "${ENV:PASSWORD}"}
---
orchestration: daily
phases:
  - name: Load
    tasks: [{run: demo-extractor/one, timeout: 2h}]
schedules: {nightly: {cron: "30 5 * * *"}}
triggers: {fresh: {tables: [in.c-x.b, in.c-x.a]}}
notify: {a@example.com: [error]}
"""
SECRET = "correct-horse-battery"


@pytest.fixture
async def cli(furnished: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CommandLine:
    (tmp_path / "all.yaml").write_text(FILES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PASSWORD", SECRET)
    monkeypatch.setenv("WORD", SECRET)
    return CommandLine(furnished.http, ADMIN_TOKEN, monkeypatch)


class Terminal(io.StringIO):
    """A person who types an answer."""

    def isatty(self) -> bool:
        return True


async def changes(client: Client) -> Any:
    return await client.get("definitions")


async def test_it_shows_the_plan_and_asks(
    cli: CommandLine,
    furnished: Client,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = await changes(furnished)
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    assert await cli.run("apply", "-f", "all.yaml") == ExitCode.BAD_INPUT
    said = capsys.readouterr()
    assert "~ configuration demo-extractor/one  parameters.#password, parameters.rows" in said.out
    assert "+ schedule daily/nightly" in said.out
    assert "Change demo (6 created, 2 updated)? [y/N]" in said.err
    assert "nothing was changed" in said.err
    assert await changes(furnished) == before

    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert await cli.run("apply", "-f", "all.yaml") == ExitCode.BAD_INPUT
    assert "pass --yes" in capsys.readouterr().err
    assert await changes(furnished) == before

    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert await cli.run("apply", "-f", "all.yaml") == ExitCode.OK
    assert capsys.readouterr().out.endswith("\n6 created, 2 updated\n")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert await cli.run("apply", "-f", "all.yaml") == ExitCode.OK
    assert capsys.readouterr().out == "no changes\n"
    assert SECRET not in said.out + said.err


async def test_what_was_exported_changes_nothing(
    cli: CommandLine, furnished: Client, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert await cli.run("apply", "-f", "all.yaml", "--yes") == ExitCode.OK
    capsys.readouterr()
    before = await changes(furnished)
    assert await cli.run("export") == ExitCode.OK
    exported = capsys.readouterr().out
    assert SECRET not in exported
    assert "bucket: in.c-sales\nshared_with:\n- another\n- other\n" in exported
    (tmp_path / "exported.yaml").write_text(exported)
    assert await cli.run("apply", "-f", "exported.yaml", "--prune", "all") == ExitCode.OK
    assert capsys.readouterr().out == "no changes\n"
    assert await cli.run("diff", "-f", "exported.yaml", "--prune", "all") == ExitCode.OK
    assert capsys.readouterr().out == "no changes\n"
    assert await changes(furnished) == before


async def test_only_the_kinds_that_are_named_are_pruned(
    cli: CommandLine, furnished: Client, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert await cli.run("apply", "-f", "all.yaml", "--yes") == ExitCode.OK
    (tmp_path / "few.yaml").write_text("variables: {region: eu}\n")
    capsys.readouterr()
    assert await cli.run("diff", "-f", "few.yaml") == ExitCode.OK
    assert await cli.run("apply", "-f", "few.yaml", "--prune", "bucket", "--yes") == ExitCode.OK
    assert "- bucket in.c-sales\n1 deleted\n" in capsys.readouterr().out
    assert (await furnished.get("buckets/in.c-sales/shares"))["items"] == []
    assert await cli.run("apply", "-f", "few.yaml", "--prune", "orchestration", "--yes") == ExitCode.OK
    assert (await furnished.get("orchestrations"))["items"] == []
    assert len((await furnished.get("configurations"))["items"]) == 2
    assert await cli.run("apply", "-f", "few.yaml", "--prune", "component", "--yes") == ExitCode.BAD_INPUT
    assert "expected configuration, orchestration, variable, bucket or all" in capsys.readouterr().err


async def test_a_bucket_document_says_all_of_its_shares(
    cli: CommandLine, furnished: Client, tmp_path: Path
) -> None:
    file = tmp_path / "bucket.yaml"
    for projects in (["other", "another"], ["other"], []):
        file.write_text(f"bucket: in.c-sales\nshared_with: {projects}\n")
        assert await cli.run("apply", "-f", "bucket.yaml", "--yes") == ExitCode.OK
        shares = (await furnished.get("buckets/in.c-sales/shares"))["items"]
        assert sorted(share["shared_with"] for share in shares) == sorted(projects)
        assert await cli.run("diff", "-f", "bucket.yaml") == ExitCode.OK
    file.write_text("bucket: in.c-sales\nshared_with: [demo]\n")
    assert await cli.run("apply", "-f", "bucket.yaml", "--yes") == ExitCode.BAD_INPUT


async def test_only_admins_of_the_project_change_shares(api: Any, furnished: Client) -> None:
    document = {"bucket": "in.c-sales", "shared_with": ["other"]}
    wish = {"name": "ci", "scopes": ["configure"], "components": ["*"]}
    token = (await furnished.post("tokens", wish))["token"]
    async with api.http(token) as http:
        ci = Client(http)
        await ci.post("definitions/apply", {"documents": [document]}, status=403)
        await furnished.put("buckets/in.c-sales/shares/other", {}, status=204)
        await ci.post("definitions/apply", {"documents": [document]})
        await ci.post("definitions/apply", {"documents": [], "prune_kinds": ["bucket"]}, status=403)


async def test_a_difference_reads_like_one_of_git(
    cli: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    assert await cli.run("apply", "-f", "all.yaml", "--yes") == ExitCode.OK
    changed = FILES.replace("rows: 5", "rows: 6").replace("timeout: 2h", "timeout: 3h").replace("eu", "us")
    (tmp_path / "all.yaml").write_text(changed)
    monkeypatch.setenv("PASSWORD", "another one")
    capsys.readouterr()
    assert await cli.run("diff", "-f", "all.yaml") == ExitCode.RUN_FAILED
    shown = capsys.readouterr().out
    assert SECRET not in shown
    assert "another one'" not in shown
    expected = (
        "--- project: variables\n+++ files: variables\n@@ -1,2 +1,2 @@\n variables:\n",
        " variables:\n-  region: eu\n+  region: us\n",
        "-  rows: 5\n-  '#password': '***'\n+  rows: 6\n+  '#password': '*** (another one)'\n",
        "-    timeout: 2h\n+    timeout: 3h\n",
    )
    assert [part for part in expected if part not in shown] == []
    assert "schedules" not in shown.replace("schedules:", "")
    assert shown.endswith("would be: 3 updated\n")


async def test_secrets_that_are_not_there_are_named_with_their_place(
    cli: CommandLine, furnished: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = await changes(furnished)
    monkeypatch.delenv("PASSWORD")
    monkeypatch.setenv("WORD", "")
    assert await cli.run("apply", "-f", "all.yaml", "--yes") == ExitCode.BAD_INPUT
    said = capsys.readouterr().err
    assert "all.yaml:8:23: parameters.#password: the environment variable PASSWORD is not set" in said
    assert "all.yaml:2:25: variables.#word: the environment variable WORD is empty" in said
    assert await changes(furnished) == before
    assert await cli.run("validate", "-f", "all.yaml") == ExitCode.OK

"""Which server and token a command takes."""

import subprocess
from pathlib import Path

import pytest

from orchestrator_cli.context import STATE_FOLDER, Context, find_context, resolve, write_context
from orchestrator_cli.failures import BadInput
from orchestrator_cli.main import main

LOCAL = Context(
    "http://127.0.0.1:1", "local-token", "demo", "/state", "postgresql://x", "amqp://u:it's@h/%2F"
)


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("ORCHESTRATOR_URL", "ORCHESTRATOR_TOKEN", "ORCHESTRATOR_PROJECT"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / STATE_FOLDER).mkdir()
    write_context(tmp_path / STATE_FOLDER, LOCAL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_file_is_for_its_owner_only_and_found_from_below(local: Path) -> None:
    file = local / STATE_FOLDER / "context.json"
    assert file.stat().st_mode & 0o777 == 0o600
    below = local / "a" / "b"
    below.mkdir(parents=True)
    assert find_context(below) == LOCAL
    assert resolve() == LOCAL


def test_the_local_token_never_goes_to_another_server(local: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve(url="http://elsewhere").token == ""
    monkeypatch.setenv("ORCHESTRATOR_URL", "http://elsewhere/")
    assert resolve().token == ""
    assert resolve().url == "http://elsewhere"
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", "theirs")
    assert resolve(project="p").token == "theirs"
    assert resolve(project="p").project == "p"


def test_nothing_known_says_what_to_set(local: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (local / STATE_FOLDER / "context.json").write_text("not json")
    with pytest.raises(BadInput, match="ORCHESTRATOR_URL"):
        resolve().client()
    with pytest.raises(BadInput, match="--project"):
        resolve(url="http://x").project_path()


def test_a_shell_gets_to_know_the_stack(local: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dev", "context"]) == 0
    script = capsys.readouterr().out + "\nenv"
    shell = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, env={})
    assert {line for line in shell.stdout.splitlines() if line.startswith("ORCHESTRATOR_")} == {
        "ORCHESTRATOR_URL=http://127.0.0.1:1",
        "ORCHESTRATOR_TOKEN=local-token",
        "ORCHESTRATOR_PROJECT=demo",
        "ORCHESTRATOR_AMQP_URL=amqp://u:it's@h/%2F",
    }


def test_a_token_is_not_shown_by_accident() -> None:
    assert "local-token" not in repr(LOCAL)

"""`orchestrator login`, `logout`, `whoami`: a login is for its owner and its server only."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.json_server import Asked, JsonServer, serving

from orchestrator_cli.context import STATE_FOLDER, Context, profile_option, resolve, write_context
from orchestrator_cli.failures import BadInput, ExitCode
from orchestrator_cli.main import main
from orchestrator_cli.profiles import Profile, Profiles, profiles_file, read_profiles, write_profiles

TOKEN: dict[str, Any] = {"id": "t-1", "name": "robot", "scopes": ["read"], "components": [], "buckets": []}
ME: dict[str, Any] = {"person": None, "memberships": [], "token": {**TOKEN, "project": "shop"}}
ADA: dict[str, Any] = {
    "person": {"email": "ada@example.com", "name": "Ada", "is_administrator": True},
    "memberships": [{"project": "shop", "role": "viewer", "may_run": True}],
    "token": None,
}


def answer(asked: Asked) -> tuple[int, Any]:
    if asked.token not in ("good", "ada"):
        return 401, {"detail": "the token is not valid"}
    if asked.path == "/v1/me":
        return 200, ADA if asked.token == "ada" else ME
    return (204, None) if asked.method == "DELETE" else (200, {"items": [], "next": None})


@pytest.fixture
def server() -> Iterator[JsonServer]:
    with serving(answer) as made:
        yield made


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("URL", "TOKEN", "PROJECT", "PROFILE"):
        monkeypatch.delenv(f"ORCHESTRATOR_{name}", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def log_in(monkeypatch: pytest.MonkeyPatch, *arguments: str, token: str = "good") -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{token}\n"))
    return main(["login", "--token-stdin", *arguments])


def test_a_login_is_kept_privately_and_used(
    server: JsonServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert log_in(monkeypatch, "--url", server.url + "/") == ExitCode.OK
    said = capsys.readouterr()
    assert said.out == ""
    assert "as token robot" in said.err
    assert "good" not in said.err
    file = profiles_file()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert (resolve().url, resolve().token, resolve().project) == (server.url, "good", "shop")
    assert main(["jobs", "list", "--json"]) == ExitCode.OK
    assert server.asked[-1].token == "good"
    assert server.asked[-1].path.startswith("/v1/projects/shop/jobs")


def test_a_token_that_the_server_refuses_is_not_kept(
    server: JsonServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert log_in(monkeypatch, "--url", server.url, token="bad") == ExitCode.BAD_INPUT
    assert "the token is not valid" in capsys.readouterr().err
    assert not profiles_file().exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["login", "--token-stdin"], "pass --url https://host"),
        (["login", "--url", "http://127.0.0.1:1", "--with-token"], "--token-stdin"),
        (["login", "--url", "http://127.0.0.1:1", "--token-stdin"], "no token given"),
        (["logout"], "no profile 'default'"),
        (["whoami", "--profile", "prod"], "`orchestrator login --profile prod` makes it"),
        (["jobs", "list"], "log in with `orchestrator login`"),
    ],
)
def test_what_is_missing_is_named(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(arguments) == ExitCode.BAD_INPUT
    assert said in capsys.readouterr().err


def kept(**profiles: Profile) -> None:
    write_profiles(Profiles(next(iter(profiles)), profiles))


def test_profiles_by_option_and_by_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    kept(prod=Profile("https://p", "p-token", "shop"), test=Profile("https://t", "t-token", "demo"))
    assert (resolve().url, resolve().token) == ("https://p", "p-token")
    monkeypatch.setenv("ORCHESTRATOR_PROFILE", "test")
    assert (resolve().url, resolve().token, resolve().project) == ("https://t", "t-token", "demo")
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", "of the environment")
    assert resolve().token == "of the environment"
    chosen = profile_option.set("prod")
    try:
        found = resolve(project="other")
    finally:
        profile_option.reset(chosen)
    assert (found.url, found.token, found.project) == ("https://p", "p-token", "other")


def test_a_login_never_goes_to_another_server(monkeypatch: pytest.MonkeyPatch) -> None:
    kept(prod=Profile("https://p", "p-token", "shop"))
    monkeypatch.setenv("ORCHESTRATOR_URL", "https://elsewhere")
    assert resolve().token == ""
    monkeypatch.setenv("ORCHESTRATOR_URL", "https://p/")
    assert resolve().token == "p-token"


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        ('{"current": "", "profiles": {}}', 0o640, "chmod 600"),
        ("not json", 0o600, "damaged"),
        ('{"profiles": {"a": {}}}', 0o600, "damaged"),
        ('{"current": "a", "profiles": []}', 0o600, "damaged"),
        ('{"current": "a", "profiles": {"a": 3}}', 0o600, "damaged"),
    ],
)
def test_a_file_that_is_open_to_others_or_damaged_is_refused(content: str, mode: int, said: str) -> None:
    kept(prod=Profile("https://p"))
    profiles_file().write_text(content)
    profiles_file().chmod(mode)
    with pytest.raises(BadInput, match=said):
        read_profiles()


def test_variables_of_a_pipeline_need_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    kept(prod=Profile("https://p"))
    profiles_file().write_text("damaged")
    monkeypatch.setenv("ORCHESTRATOR_URL", "https://ci")
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", "t")
    assert (resolve().url, resolve().token) == ("https://ci", "t")


def test_a_new_login_beside_a_local_stack_is_one_at_that_stack(
    server: JsonServer, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept(prod=Profile("http://127.0.0.1:1", "p-token", "shop"))
    (home / STATE_FOLDER).mkdir()
    write_context(home / STATE_FOLDER, Context(server.url, "local-token", "demo"))
    assert log_in(monkeypatch, "--profile", "me", token="ada") == ExitCode.OK
    assert "pass --profile me or set ORCHESTRATOR_PROFILE=me" in capsys.readouterr().err
    assert resolve().token == "local-token"
    monkeypatch.setenv("ORCHESTRATOR_PROFILE", "me")
    assert (resolve().url, resolve().token, resolve().project) == (server.url, "ada", "shop")
    assert log_in(monkeypatch, token="ada") == ExitCode.OK
    assert "note:" not in capsys.readouterr().err


def test_logging_out_forgets_the_token_and_revokes_what_the_login_made(
    server: JsonServer, capsys: pytest.CaptureFixture[str]
) -> None:
    kept(pasted=Profile(server.url, "good", "shop"), browser=Profile(server.url, "good", "shop", "t-1"))
    assert main(["logout"]) == ExitCode.OK
    assert not server.asked
    assert main(["logout", "--profile", "browser"]) == ExitCode.OK
    assert server.calls() == ["DELETE /v1/me/tokens/t-1"]
    assert read_profiles().by_name["browser"] == Profile(server.url, "", "shop")
    assert main(["logout", "--profile", "browser"]) == ExitCode.OK
    assert "is not logged in" in capsys.readouterr().err


def test_logging_out_of_a_server_that_is_gone_says_that_the_token_still_works(
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept(browser=Profile("http://127.0.0.1:1", "good", "", "t-1"))
    assert main(["logout"]) == ExitCode.OK
    assert "works until it expires" in capsys.readouterr().err
    assert read_profiles().by_name["browser"].token == ""


def test_an_administrator_of_a_local_stack_logs_in_to_its_project(
    server: JsonServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ADA, "memberships", [])
    (home / STATE_FOLDER).mkdir()
    write_context(home / STATE_FOLDER, Context(server.url, "local-token", "demo"))
    assert log_in(monkeypatch, "--profile", "me", token="ada") == ExitCode.OK
    assert read_profiles().named("me") == Profile(server.url, "ada", "demo")


def test_who_one_is(server: JsonServer, capsys: pytest.CaptureFixture[str]) -> None:
    kept(robot=Profile(server.url, "good"), ada=Profile(server.url, "ada"))
    assert main(["whoami"]) == ExitCode.OK
    assert "robot of shop: read" in capsys.readouterr().out
    assert main(["whoami", "--profile", "ada"]) == ExitCode.OK
    assert "Ada <ada@example.com>" in capsys.readouterr().out
    assert main(["whoami", "--output", "json", "--profile", "ada"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out) == ADA

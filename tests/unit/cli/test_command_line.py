"""The command line as a person meets it: exit codes, sentences, no tracebacks."""

from pathlib import Path

import pytest

from orchestrator_cli.commands.run import exit_code, parse_parameters
from orchestrator_cli.commands.triggers import choose
from orchestrator_cli.definition_changes import change_lines, change_summary
from orchestrator_cli.failures import BadInput, ExitCode
from orchestrator_cli.main import main
from orchestrator_cli.output import duration, plain


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No server is known here."""
    for variable in (
        "ORCHESTRATOR_URL",
        "ORCHESTRATOR_TOKEN",
        "ORCHESTRATOR_PROJECT",
        "ORCHESTRATOR_DATABASE_URL",
    ):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--version"], 0, "orchestrator 0."),
        (["--version"], 0, "time zones of tzdata 20"),
        (["jobs", "list"], 2, "ORCHESTRATOR_URL"),
        (["nonsense"], 2, "No such command"),
        (["run"], 2, "Missing argument 'name'"),
        (["apply"], 2, "--file"),
        (["validate", "-f", "missing.yaml"], 2, "missing.yaml: there is no such file"),
        (["db", "migrate"], 2, "ORCHESTRATOR_DATABASE_URL"),
        (["dev", "status"], 3, "No local stack is running"),
        (["dev", "down"], 0, "No local stack was running"),
        (["db", "roles", "--print"], 0, 'CREATE ROLE "orchestrator_api"'),
        (["demo", "--api-url", "http://127.0.0.1:1", "--crash", "--token", "x"], 2, "--crash"),
        (["demo", "--api-url", "http://127.0.0.1:1"], 2, "ORCHESTRATOR_TOKEN"),
        (["component", "run", "missing", "--config", "missing.yaml"], 2, "no such file"),
    ],
)
def test_ends_with_its_code_and_says_why(
    arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == code
    out, err = capsys.readouterr()
    assert said in out + err
    assert "Traceback" not in out + err


def test_a_server_that_is_not_there_is_exit_code_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ORCHESTRATOR_URL", "http://127.0.0.1:1")
    assert main(["tables", "publish", "in.c-x.t", "-p", "demo"]) == ExitCode.UNREACHABLE
    assert "no answer from http://127.0.0.1:1" in capsys.readouterr().err


def test_parameters_are_json_where_they_can_be() -> None:
    assert parse_parameters(["a=1", "b.c=x", "b.d=[1]", "e="]) == {"a": 1, "b": {"c": "x", "d": [1]}, "e": ""}
    assert parse_parameters(["a=NaN", "b=1e999", "c=" + "[" * 100_000]) == {
        "a": "NaN",
        "b": "1e999",
        "c": "[" * 100_000,
    }
    for wrong in (["a"], ["=1"], ["a..b=1"], ["a=1", "a.b=2"]):
        with pytest.raises(BadInput, match="--param"):
            parse_parameters(wrong)


@pytest.mark.parametrize(
    ("pair", "made"),
    [
        ('"sql.orders/v1.2".rows=5', {"sql.orders/v1.2": {"rows": 5}}),
        ('load."a.b"="x=y"', {"load": {"a.b": "x=y"}}),
        ('"a=b".c=1', {"a=b": {"c": 1}}),
        (r'"a\"b"=1', {'a"b': 1}),
        ('"in.c/x"."#key"=secret=value', {"in.c/x": {"#key": "secret=value"}}),
        ('a="b.c"=', {"a": '"b.c"='}),
    ],
)
def test_keys_that_have_dots_are_quoted(pair: str, made: dict[str, object]) -> None:
    assert parse_parameters([pair]) == made


@pytest.mark.parametrize("pair", ['"a.b"c=1', '"a.b=1', '""=1', 'a."".b=1', '"a', '"a".', "a."])
def test_quotes_that_are_left_open_are_refused(pair: str) -> None:
    with pytest.raises(BadInput, match="quote keys with dots"):
        parse_parameters([pair])


@pytest.mark.parametrize(
    ("status", "strict", "code"),
    [
        ("success", True, 0),
        ("warning", False, 0),
        ("warning", True, 1),
        ("error", False, 1),
        ("cancelled", False, 1),
    ],
)
def test_the_exit_code_of_a_run(status: str, strict: bool, code: int) -> None:
    assert exit_code({"status": status}, strict=strict) == code


def test_the_only_trigger_needs_no_name() -> None:
    one, two = {"name": "a"}, {"name": "b"}
    assert choose([one], "o", None) is one
    assert choose([one, two], "o", "b") is two
    with pytest.raises(BadInput, match="several triggers; choose one of: a, b"):
        choose([one, two], "o", None)
    with pytest.raises(BadInput, match="its triggers: none"):
        choose([], "o", None)


def test_changes_are_shown_and_counted() -> None:
    changes = [
        {"kind": "orchestration", "id": "x", "action": "update", "fields": ["phases"]},
        {"kind": "configuration", "id": "c/d", "action": "create", "fields": []},
        {"kind": "configuration", "id": "c/e", "action": "unchanged", "fields": []},
    ]
    assert [line.plain for line in change_lines(changes)] == [
        "~ orchestration x  phases",
        "+ configuration c/d",
    ]
    assert change_summary(changes) == "1 created, 1 updated"
    assert change_summary(changes[2:]) == "no changes"


def test_words_for_people() -> None:
    assert (duration(0.04), duration(61), duration(7384)) == ("0.0 s", "1 min 1 s", "2 h 3 min")
    assert plain("a\x1b[31m\nb\tc") == "a\\x1b[31m\nb\tc"


def test_validate_names_every_problem_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "two.yaml"
    file.write_text("orchestration: fine\n---\norchestration: bad\nphases:\n  - nam: X\n    tasks: 3\n")
    assert main(["validate", "-f", str(file)]) == ExitCode.BAD_INPUT
    said = capsys.readouterr().err
    assert f"{file}:5:" in said
    assert "did you mean `name`?" in said
    file.write_text("orchestration: fine\n")
    assert main(["validate", "-f", str(tmp_path)]) == ExitCode.OK
    assert "1 document is valid" in capsys.readouterr().out

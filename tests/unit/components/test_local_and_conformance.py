"""Running a component without a server, and checking that it keeps the contract."""

import json
import signal
import sys
from pathlib import Path

import pytest
import yaml

from orchestrator_components.conformance import check
from orchestrator_components.local import check as check_folder
from orchestrator_components.local import run

TEMPLATE = Path(__file__).parents[3] / "examples" / "component-template"


def program(folder: Path, body: str) -> Path:
    """A component of the given body, with its YAML."""
    header = (
        "import json, os, pathlib, signal, sys, time\n"
        "folder = pathlib.Path(os.environ['ORCHESTRATOR_DATA_DIR'])\n"
    )
    (folder / "it.py").write_text(header + body)
    definition = {
        "component": "it",
        "command": ["{python}", "it.py"],
        "environment": {"A": "1", "B": None, "C": None},
    }
    (folder / "component.yaml").write_text(yaml.safe_dump(definition))
    (folder / "config.json").write_text('{"x": 1}')
    return folder / "it.py"


def test_the_template_runs_and_keeps_the_contract(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(TEMPLATE, TEMPLATE / "config.yaml") == 0
    assert "-- success: Hello, world!" in capfd.readouterr().out

    assert check(["{python}", str(TEMPLATE / "component.py")], {"name": "world"}) == []


def test_the_template_passes_the_check(capfd: pytest.CaptureFixture[str]) -> None:
    assert check_folder(TEMPLATE, TEMPLATE / "config.yaml") == 0
    assert "-- keeps the contract" in capfd.readouterr().out


def test_a_check_tells_what_is_wrong(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program(tmp_path, "print(os.environ['A'])")
    assert check_folder(tmp_path, tmp_path / "config.json") == 1
    told = capfd.readouterr().err
    assert "-- parameters that are not an object: exit code 0 instead of 1" in told
    assert "-- empty parameters" in told

    definition = yaml.safe_load((tmp_path / "component.yaml").read_text())
    definition["parameters"] = {"type": "object", "properties": {"x": {"type": "integer"}}}
    (tmp_path / "component.yaml").write_text(yaml.safe_dump(definition))
    assert check_folder(tmp_path, tmp_path / "config.json") == 1
    assert "empty parameters" not in capfd.readouterr().err, "nothing is required"
    assert check_folder(tmp_path / "nowhere", tmp_path / "config.json") == 2


def test_tables_may_be_told_as_names(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What a runner accepts, the check and a local run accept."""
    program(
        tmp_path,
        "if not isinstance(json.load(open(folder / 'config.json'))['parameters'], dict): sys.exit('no')\n"
        "if not json.load(open(folder / 'config.json'))['parameters']: sys.exit('x is missing')\n"
        "(folder / 'result.json').write_text(json.dumps({'output_tables': ['out.c-a.b'], 'more': 1}))\n",
    )
    assert check([sys.executable, str(tmp_path / "it.py")], {"x": 1}) == []
    assert run(tmp_path, tmp_path / "config.json") == 0
    assert "-- updated out.c-a.b: ? rows" in capfd.readouterr().out


def test_state_is_kept_and_output_tables_are_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program(
        tmp_path,
        "path = folder / 'state.json'\n"
        "state = json.loads(path.read_text()) if path.exists() else {'n': 0}\n"
        "path.write_text(json.dumps({'n': state['n'] + 1}))\n"
        "tables = [{'table': 'out.c-a.b', 'rows': state['n']}]\n"
        "(folder / 'result.json').write_text(json.dumps({'message': 'ok', 'output_tables': tables}))\n",
    )
    for _ in range(2):
        assert run(tmp_path, tmp_path / "config.json", state_file=tmp_path / "state.json") == 0

    assert json.loads((tmp_path / "state.json").read_text()) == {"n": 2}
    assert "-- updated out.c-a.b: 1 rows" in capfd.readouterr().out


def test_the_environment_is_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("B", "2")
    monkeypatch.setenv("STRANGER", "x")
    program(tmp_path, "(folder / 'environment.json').write_text(json.dumps(dict(os.environ)))\n")

    assert run(tmp_path / "component.yaml", tmp_path / "config.json", data_dir=tmp_path / "data") == 0

    seen = json.loads((tmp_path / "data" / "environment.json").read_text())
    assert (seen["A"], seen["B"]) == ("1", "2")
    assert not {"C", "STRANGER"} & set(seen)
    assert json.loads((tmp_path / "data" / "config.json").read_text())["parameters"] == {"x": 1}


@pytest.mark.parametrize(
    ("body", "code", "told"),
    [
        ("sys.exit('wrong')", 1, "user error"),
        ("sys.exit(5)", 5, "internal error"),
        ("(folder / 'result.json').write_text('{')", 2, "result.json"),
        ("os.kill(os.getpid(), signal.SIGKILL)", 137, "internal error"),
    ],
)
def test_a_failure_has_its_exit_code(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], body: str, code: int, told: str
) -> None:
    program(tmp_path, body)

    assert run(tmp_path, tmp_path / "config.json") == code
    assert told in capfd.readouterr().err


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"executor": "docker"}, "executor: only 'process'"),
        ({"command": "python it.py"}, "command: must be a list"),
        ({"component": None}, ""),
    ],
)
def test_what_cannot_be_started_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], change: dict[str, object], told: str
) -> None:
    program(tmp_path, "")
    definition = yaml.safe_load((tmp_path / "component.yaml").read_text())
    (tmp_path / "component.yaml").write_text(yaml.safe_dump({**definition, **change}))

    code = run(tmp_path, tmp_path / "config.json")

    assert (code, told in capfd.readouterr().err) == ((2 if told else 0), True)


def test_placeholders_need_a_project(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program(tmp_path, "")
    (tmp_path / "config.json").write_text('{"parameters": {"a": ["{{ vars.warehouse }}"]}}')

    assert run(tmp_path, tmp_path / "config.json") == 2
    assert "{{ vars.warehouse }} is defined only in a project" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("sys.exit(3)", "good parameters: exit code 3"),
        ("pass", "not an object: exit code 0 instead of 1"),
        ("sys.exit(1)", "the last line of stderr must say"),
        ("(folder / 'result.json').write_text('{\"message\": 1}')", "result.json: message: must be a string"),
        (
            '(folder / \'result.json\').write_text(\'{"output_tables": [{"table": "x"}]}\')',
            "result.json: output_tables[0]: 'x' is not a table name",
        ),
        ("(folder / 'state.json').write_text('[]')", "state.json: must be an object"),
    ],
)
def test_the_check_finds(tmp_path: Path, body: str, problem: str) -> None:
    command = [sys.executable, str(program(tmp_path, body))]

    problems = check(command, {}, grace=0.3)

    assert any(problem in found for found in problems), problems


def test_the_check_finds_a_program_that_does_not_heed_sigterm(tmp_path: Path) -> None:
    """It is deaf from its first moment, however late its Python starts: what is ignored here is inherited."""
    body = (
        "if not isinstance(json.load(open(folder / 'config.json'))['parameters'], dict): sys.exit('no')\n"
        "ran = pathlib.Path(__file__).with_suffix('.ran')\n"
        "time.sleep(600) if ran.exists() else ran.touch()\n"
    )
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        problems = check([sys.executable, str(program(tmp_path, body))], {}, grace=0.3)
    finally:
        signal.signal(signal.SIGTERM, before)

    assert problems == ["SIGTERM: still running 0.3 seconds later"]

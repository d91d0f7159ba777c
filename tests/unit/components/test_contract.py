"""The contract library: exit codes, last words, parameters, state, result."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field

from orchestrator_components import contract
from orchestrator_components.contract import UserError


class Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount: int
    secret: str = Field(alias="#secret", default="")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ORCHESTRATOR_DATA_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def configure(folder: Path) -> Callable[[object], None]:
    def write(parameters: object) -> None:
        (folder / "config.json").write_text(json.dumps({"parameters": parameters}))

    return write


def test_parameters_are_read_into_the_model(configure: Callable[[object], None]) -> None:
    configure({"amount": 3, "#secret": "s"})

    assert contract.load_parameters(Parameters) == Parameters.model_validate({"amount": 3, "#secret": "s"})


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "parameters.amount: is missing"),
        ({"amount": "x"}, "parameters.amount: must be a whole number"),
        ({"amount": 1, "amuont": 2}, "parameters.amuont: is not a known parameter"),
        ([], "parameters: must be an object"),
    ],
)
def test_a_wrong_parameter_is_named(
    configure: Callable[[object], None], parameters: object, message: str
) -> None:
    configure(parameters)

    with pytest.raises(UserError, match=message):
        contract.load_parameters(Parameters)


def test_a_rejected_value_is_not_repeated(configure: Callable[[object], None]) -> None:
    configure({"amount": 1, "#secret": ["hunter2"]})

    with pytest.raises(UserError) as raised:
        contract.load_parameters(Parameters)

    assert "#secret" in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_missing_or_broken_config_is_a_user_error(folder: Path) -> None:
    with pytest.raises(UserError, match=r"config\.json is missing"):
        contract.load_parameters(Parameters)
    (folder / "config.json").write_text("{")
    with pytest.raises(UserError, match=r"config\.json is not valid JSON"):
        contract.load_parameters(Parameters)


def test_state_survives(folder: Path) -> None:
    assert contract.load_state() == {}

    contract.save_state({"last": 7})

    assert contract.load_state() == {"last": 7}
    assert [path.name for path in folder.iterdir()] == ["state.json"]


def test_the_result_is_written_whole(folder: Path) -> None:
    contract.report("done", [{"table": "out.c-a.b", "rows": 2}])

    assert json.loads((folder / "result.json").read_text()) == {
        "message": "done",
        "output_tables": [{"table": "out.c-a.b", "rows": 2}],
    }
    assert [path.name for path in folder.iterdir()] == ["result.json"]


def run_program(body: str) -> tuple[int, str]:
    program = f"from orchestrator_components.contract import *\n{body}\nmain(run)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    return done.returncode, done.stderr


def test_success_is_exit_0() -> None:
    assert run_program("def run(): pass") == (0, "")


def test_a_user_error_is_exit_1_with_one_line() -> None:
    assert run_program("def run(): raise UserError('two\\n  lines')") == (1, "two lines\n")


def test_an_unexpected_error_is_exit_2_with_a_traceback() -> None:
    code, err = run_program("async def run(): raise KeyError('x')")

    assert code == 2
    assert "Traceback" in err
    assert err.splitlines()[-1] == "internal error: KeyError: 'x'"


@pytest.mark.parametrize(
    "body",
    [
        "def run(): print('up'); import time; time.sleep(60)",
        "async def run(): print('up'); import asyncio; await asyncio.sleep(60)",
    ],
)
def test_sigterm_ends_it_promptly(body: str) -> None:
    program = f"from orchestrator_components.contract import *\n{body}\nmain(run)"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.terminate()
        _, err = process.communicate(timeout=30)

    assert process.returncode == contract.TERMINATED
    assert err == b"terminated\n"

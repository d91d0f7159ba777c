"""Running one component on this machine without a server, for `orchestrator component run`."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from orchestrator_components import conformance
from orchestrator_components.conformance import result_problems
from orchestrator_components.contract import INTERNAL_ERROR, SUCCESS, UserError, write_atomically
from orchestrator_shared.domain.reports import parse_result

WRONG_USE = 2
SECONDS_TO_END = 10.0
_PLACEHOLDER = re.compile(r"\{\{\s*[\w.]+\s*\}\}")


def run(
    directory_or_yaml: Path | str,
    config_file: Path | str,
    *,
    state_file: Path | str | None = None,
    data_dir: Path | str | None = None,
) -> int:
    """Run the component with this configuration; returns its exit code, or 2 if it cannot be started."""
    try:
        definition_file = find_definition(Path(directory_or_yaml))
        definition = _mapping(definition_file)
        config = read_config(Path(config_file), str(definition.get("component", definition_file.stem)))
        command = command_of(definition, definition_file.parent)
    except UserError as error:
        print(error, file=sys.stderr)
        return WRONG_USE
    with _private_directory(data_dir) as directory:
        _prepare(directory, config, Path(state_file) if state_file else None)
        code = _execute(command, environment_of(definition, config, directory), directory)
        return _print_outcome(code, directory, Path(state_file) if state_file else None)


def check(directory_or_yaml: Path | str, config_file: Path | str) -> int:
    """Report whether the component keeps the contract; 0: yes, 1: no, 2: it cannot be started."""
    try:
        definition_file = find_definition(Path(directory_or_yaml))
        definition = _mapping(definition_file)
        config = read_config(Path(config_file), str(definition.get("component", definition_file.stem)))
        command = command_of(definition, definition_file.parent)
    except UserError as error:
        print(error, file=sys.stderr)
        return WRONG_USE
    schema = definition.get("parameters")
    try:
        problems = conformance.check(
            command,
            config["parameters"],
            environment=declared_environment(definition),
            needs_parameters=not isinstance(schema, dict) or bool(schema.get("required")),
        )
    except OSError as error:
        print(f"command: cannot start {command[0]}: {error.strerror}", file=sys.stderr)
        return WRONG_USE
    for problem in problems:
        print(f"-- {problem}", file=sys.stderr)
    if not problems:
        print("-- keeps the contract: success, results, bad parameters and SIGTERM are as they should be")
    return 1 if problems else 0


def find_definition(path: Path) -> Path:
    """The given YAML, the one in the folder that describes a component, or the built-in of that name."""
    if path.is_file():
        return path
    built_in = Path(__file__).parent / "definitions" / f"{path}.yaml"
    if not path.exists() and path.name == str(path) and built_in.is_file():
        return built_in
    if not path.is_dir():
        raise UserError(f"{path}: no such file or folder")
    candidates = [file for file in sorted(path.glob("*.y*ml")) if "component" in _mapping(file, strict=False)]
    if len(candidates) != 1:
        names = ", ".join(file.name for file in candidates) or "none"
        raise UserError(f"{path}: needs exactly one YAML document with the key 'component'; found {names}")
    return candidates[0]


def read_config(path: Path, component: str) -> dict[str, Any]:
    """A configuration as in git (`configuration`, `parameters`), or just its parameters."""
    document = _mapping(path)
    parameters = document["parameters"] if isinstance(document.get("parameters"), dict) else document
    if match := _PLACEHOLDER.search(json.dumps(parameters, default=str)):
        raise UserError(
            f"{path}: {match.group(0)} is defined only in a project; write the value itself for a local run"
        )
    name = str(document.get("configuration", f"{component}/local")).rpartition("/")[2]
    return {"component": component, "configuration": name, "version": 0, "parameters": parameters}


def command_of(definition: Mapping[str, Any], directory: Path) -> list[str]:
    command = definition.get("command")
    if definition.get("executor", "process") != "process":
        raise UserError(f"executor: only 'process' runs locally, not {definition['executor']!r}")
    if not isinstance(command, list) or not command or not all(isinstance(part, str) for part in command):
        raise UserError("command: must be a list of strings")
    return [_argument(part, directory) for part in command]


def _argument(part: str, directory: Path) -> str:
    part = part.replace("{python}", sys.executable)
    beside = directory / part
    # The program runs in its own private directory, so files next to the YAML need a full path.
    return str(beside.resolve()) if not Path(part).is_absolute() and beside.is_file() else part


def environment_of(
    definition: Mapping[str, Any], config: Mapping[str, Any], directory: Path
) -> dict[str, str]:
    """The same clean environment that a runner provides; null passes on the value of this shell."""
    now = datetime.now(UTC).isoformat()
    job = str(uuid.uuid4())
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(directory),
        "TMPDIR": str(directory),
        "ORCHESTRATOR_DATA_DIR": str(directory),
        "ORCHESTRATOR_PROJECT": "local",
        "ORCHESTRATOR_COMPONENT": str(config["component"]),
        "ORCHESTRATOR_CONFIGURATION": str(config["configuration"]),
        "ORCHESTRATOR_JOB_ID": job,
        "ORCHESTRATOR_RUN_ID": job,
        "ORCHESTRATOR_ATTEMPT": "1",
        "ORCHESTRATOR_SCHEDULED_FOR": now,
    }
    return environment | declared_environment(definition)


def declared_environment(definition: Mapping[str, Any]) -> dict[str, str]:
    """The variables that the document adds."""
    declared = definition.get("environment") or {}
    given = {name: os.environ.get(name) if value is None else str(value) for name, value in declared.items()}
    return {name: value for name, value in given.items() if value is not None}


def _mapping(path: Path, *, strict: bool = True) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        if not strict:
            return {}
        raise UserError(f"{path}: {' '.join(str(error).split())}") from None
    if isinstance(content, dict):
        return content
    if strict:
        raise UserError(f"{path}: must be one YAML document that is a mapping")
    return {}


@contextmanager
def _private_directory(wanted: Path | str | None) -> Iterator[Path]:
    if wanted is not None:
        directory = Path(wanted).resolve()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield directory
        return
    directory = Path(tempfile.mkdtemp(prefix="component-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _prepare(directory: Path, config: Mapping[str, Any], state_file: Path | None) -> None:
    (directory / "result.json").unlink(missing_ok=True)
    write_atomically(directory / "config.json", json.dumps(config, default=str))
    if state_file and state_file.exists():
        shutil.copyfile(state_file, directory / "state.json")


def _execute(command: list[str], environment: Mapping[str, str], directory: Path) -> int:
    try:
        process = subprocess.Popen(
            command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, start_new_session=True
        )
    except OSError as error:
        print(f"command: cannot start {command[0]}: {error.strerror}", file=sys.stderr)
        return INTERNAL_ERROR
    try:
        code = process.wait()
        return code if code >= 0 else 128 - code  # the shell's convention for signals
    except BaseException:
        _end_group(process)
        raise


def _end_group(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(SECONDS_TO_END)


def _print_outcome(code: int, directory: Path, state_file: Path | None) -> int:
    if code != SUCCESS:
        kind = "user error" if code == 1 else "internal error"
        print(f"-- {kind}: exit code {code}", file=sys.stderr)
        return code
    if problems := result_problems(directory):
        print("\n".join(f"-- {problem}" for problem in problems), file=sys.stderr)
        return INTERNAL_ERROR
    result = directory / "result.json"
    message, tables = parse_result(result.read_bytes() if result.exists() else None)
    print(f"-- success: {message}".rstrip(": "))
    for output in tables:
        print(f"-- updated {output.table}: {'?' if output.rows is None else output.rows} rows")
    if state_file and (directory / "state.json").exists():
        shutil.copyfile(directory / "state.json", state_file)
    return SUCCESS

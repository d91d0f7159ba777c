"""A check that anyone can run on their own component: does it keep the component contract?"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from orchestrator_components.contract import SUCCESS, USER_ERROR
from orchestrator_shared.domain.reports import InvalidReport, parse_object, parse_result

LONGEST_RUN = 60.0
LONGEST_START = 0.5


def check(
    command: Sequence[str],
    config: Mapping[str, Any],
    *,
    environment: Mapping[str, str] | None = None,
    grace: float = 10.0,
    needs_parameters: bool = True,
) -> list[str]:
    """Run the component several times, with `config` as good parameters; returns the violations.

    `needs_parameters`: the component requires parameters, so empty ones must be a user error.
    """
    command = [part.replace("{python}", sys.executable) for part in command]
    extra = dict(environment or {})
    return [
        *_check_good(command, config, extra),
        *_check_bad(command, "parameters that are not an object", "not an object", extra),
        *(_check_bad(command, "empty parameters", {}, extra) if config and needs_parameters else []),
        *_check_sigterm(command, config, extra, grace),
    ]


def result_problems(directory: Path) -> list[str]:
    """Problems that a runner would find in the files a component left in its directory."""
    problems = []
    for name, parse in (("result.json", parse_result), ("state.json", _parse_state)):
        file = directory / name
        if file.exists():
            try:
                parse(file.read_bytes())
            except InvalidReport as error:
                problems.append(str(error))
    return problems


def _parse_state(content: bytes) -> None:
    parse_object("state.json", content)


def _check_good(command: Sequence[str], config: Mapping[str, Any], extra: Mapping[str, str]) -> Iterator[str]:
    with _started(command, config, extra) as (process, directory):
        code, message = _outcome(process)
        if code is None:
            yield f"good parameters: still running after {LONGEST_RUN:g} seconds"
        elif code != SUCCESS:
            yield f"good parameters: exit code {code} instead of 0; last line of stderr: {message!r}"
        yield from result_problems(directory)


def _check_bad(
    command: Sequence[str], title: str, parameters: Any, extra: Mapping[str, str]
) -> Iterator[str]:
    with _started(command, parameters, extra) as (process, _):
        code, message = _outcome(process)
    if code is None:
        yield f"{title}: still running after {LONGEST_RUN:g} seconds"
    elif code != USER_ERROR:
        yield f"{title}: exit code {code} instead of 1 (user error)"
    elif not message:
        yield f"{title}: the last line of stderr must say what is wrong"


def _check_sigterm(
    command: Sequence[str], config: Mapping[str, Any], extra: Mapping[str, str], grace: float
) -> Iterator[str]:
    with _started(command, config, extra) as (process, _):
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=LONGEST_START)
            return
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.communicate(timeout=grace)
        except subprocess.TimeoutExpired:
            yield f"SIGTERM: still running {grace:g} seconds later"


def _outcome(process: subprocess.Popen[bytes]) -> tuple[int | None, str]:
    try:
        _, err = process.communicate(timeout=LONGEST_RUN)
    except subprocess.TimeoutExpired:
        return None, ""
    lines = err.decode(errors="replace").strip().splitlines()
    return process.returncode, lines[-1] if lines else ""


@contextmanager
def _started(
    command: Sequence[str], parameters: Any, extra: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    directory = Path(tempfile.mkdtemp(prefix="conformance-"))
    config = {"component": "checked", "configuration": "check", "version": 1, "parameters": parameters}
    (directory / "config.json").write_text(json.dumps(config), encoding="utf-8")
    process = subprocess.Popen(
        command,
        cwd=directory,
        env=_environment(directory, extra),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process, directory
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        shutil.rmtree(directory, ignore_errors=True)


def _environment(directory: Path, extra: Mapping[str, str]) -> dict[str, str]:
    job = str(uuid.uuid4())
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(directory),
        "ORCHESTRATOR_DATA_DIR": str(directory),
        "ORCHESTRATOR_PROJECT": "conformance",
        "ORCHESTRATOR_COMPONENT": "checked",
        "ORCHESTRATOR_CONFIGURATION": "check",
        "ORCHESTRATOR_JOB_ID": job,
        "ORCHESTRATOR_RUN_ID": job,
        "ORCHESTRATOR_ATTEMPT": "1",
        "ORCHESTRATOR_SCHEDULED_FOR": "2026-01-01T00:00:00+00:00",
        **extra,
    }

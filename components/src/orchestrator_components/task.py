"""`orchestrator-task PROGRAM …`: runs a program under the component contract inside a container.

It is the first process of a Kubernetes Job's container: it lays out the files of the contract, runs the
program, and reports how it ended and what it left. It uses nothing but Python's own library, so that an image
needs only this file.
"""

import base64
import contextlib
import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

INPUT = "ORCHESTRATOR_TASK_INPUT"
DIRECTORY = "ORCHESTRATOR_DATA_DIR"
MESSAGE = "ORCHESTRATOR_TASK_MESSAGE"
POD = "ORCHESTRATOR_TASK_POD"
OWN = (INPUT, MESSAGE, POD)
MAX_FILE_BYTES = 1024 * 1024
MAX_MESSAGE_BYTES = 4096
"""Kubernetes cuts longer termination messages."""
PART_CHARACTERS = 180_000
"""A callback may have 256 KiB."""
TAIL_BYTES = 64 * 1024
REPORT_SECONDS = 300.0
SHORT_SECONDS = 30.0
"""How long to try if the pod's status can hold the whole report as well."""
FIRST_PAUSE_SECONDS = 0.5
CANNOT_START = 127


def main() -> None:
    """Run the program in the arguments; the exit code is the program's."""
    given = json.loads(gzip.decompress(Path(os.environ[INPUT]).read_bytes()))
    directory = os.environ[DIRECTORY]
    _lay_out(directory, given)
    code, line = _run([arg for arg in sys.argv[1:] if arg != "--"], _environment(given, directory), directory)
    report = {"exit": code, "line": line, **(_left(directory) if code == 0 else {})}
    is_reported = given.get("report") is not None and _deliver(given["report"], report)
    _write_message(report, is_reported=is_reported)
    sys.exit(code if code >= 0 else 128 - code)


def _lay_out(directory: str, given: Mapping[str, Any]) -> None:
    for name in ("config", "state"):
        if given.get(name) is not None:
            path = Path(directory, f"{name}.json")
            path.touch(mode=0o600)
            path.write_text(json.dumps(given[name], ensure_ascii=False), errors="surrogatepass")


def _environment(given: Mapping[str, Any], directory: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in OWN}
    return {"HOME": directory, **inherited, **given["environment"], DIRECTORY: directory}


def _run(argv: Sequence[str], environment: Mapping[str, str], directory: str) -> tuple[int, str]:
    """The exit code, or the negative signal number, and the last line on stderr."""
    try:
        child = subprocess.Popen(
            argv, env=environment, cwd=directory, stderr=subprocess.PIPE, start_new_session=True
        )
    except (OSError, ValueError, IndexError) as error:
        line = f"cannot be started: {error}"
        print(line, file=sys.stderr, flush=True)
        return CANNOT_START, line
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: _signal(child.pid, number))
    assert child.stderr is not None
    tail = bytearray()
    pump = threading.Thread(target=_pump, args=(child.stderr, tail), daemon=True)
    pump.start()
    code = child.wait()
    _signal(child.pid, signal.SIGKILL)  # what it left behind
    pump.join(timeout=5)
    return code, _last_line(bytes(tail))


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _pump(stderr: BinaryIO, tail: bytearray) -> None:
    """Pass on what is written to stderr; in a pod's log, both streams are one."""
    while data := os.read(stderr.fileno(), 65536):
        tail += data
        del tail[:-TAIL_BYTES]
        while data:
            data = data[os.write(2, data) :]


def _last_line(tail: bytes) -> str:
    lines = tail.replace(b"\r", b"\n").rstrip().rsplit(b"\n", 1)
    return lines[-1].decode(errors="replace").strip()


def _left(directory: str) -> dict[str, str]:
    """The files that the program left, as texts."""
    found: dict[str, str] = {}
    for name in ("result", "state"):
        path = Path(directory, f"{name}.json")
        try:
            with path.open("rb") as file:
                content = file.read(MAX_FILE_BYTES + 1)
            found[name] = content.decode()
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            return {"fault": f"{name}.json: {error}"}
        if len(content) > MAX_FILE_BYTES:
            return {"fault": f"{name}.json: is larger than 1 MiB"}
    return found


def _deliver(url: str, report: Mapping[str, Any]) -> bool:
    """Report to the api; whether all of it was taken."""
    fits = len(_whole(report)) <= MAX_MESSAGE_BYTES
    deadline = time.monotonic() + (SHORT_SECONDS if fits else REPORT_SECONDS)
    return all(_post(url, body, deadline) for body in _parts(report))


def _parts(report: Mapping[str, Any]) -> Iterator[bytes]:
    text = base64.b64encode(json.dumps(report).encode()).decode()
    pieces = [text[start : start + PART_CHARACTERS] for start in range(0, len(text), PART_CHARACTERS)]
    for number, piece in enumerate(pieces):
        body = {"pod": os.environ.get(POD, ""), "part": number, "parts": len(pieces), "data": piece}
        yield json.dumps(body).encode()


def _post(url: str, body: bytes, deadline: float) -> bool:
    pause = FIRST_PAUSE_SECONDS
    while True:
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30):  # noqa: S310
                return True
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code not in (408, 425, 429):
                _say(f"the report was refused with {error.code}: this attempt is over")
                return False
            reason = f"answered {error.code}"
        except (OSError, ValueError) as error:
            reason = str(error)
        if time.monotonic() + pause > deadline:
            _say(f"the result could not be reported: {reason}")
            return False
        time.sleep(pause)
        pause = min(pause * 2, 15)


def _say(text: str) -> None:
    print(f"orchestrator-task: {text}", file=sys.stderr, flush=True)


def _write_message(report: Mapping[str, Any], *, is_reported: bool) -> None:
    """Leave the report in the pod's status: all of it if the api did not take it and it is short."""
    short = {"exit": report["exit"], "line": report["line"][:500], "reported": is_reported}
    whole = _whole(report)
    text = _encoded(short) if is_reported or len(whole) > MAX_MESSAGE_BYTES else whole
    with contextlib.suppress(OSError):
        Path(os.environ.get(MESSAGE, "/dev/termination-log")).write_bytes(text[:MAX_MESSAGE_BYTES])


def _whole(report: Mapping[str, Any]) -> bytes:
    return _encoded({**report, "whole": True})


def _encoded(report: Mapping[str, Any]) -> bytes:
    return json.dumps({"orchestrator": report}).encode()


if __name__ == "__main__":
    main()

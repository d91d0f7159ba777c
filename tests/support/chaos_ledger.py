"""What the tasks of a chaos run say about themselves, by both clocks and with their process ids."""

import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.ledger import LEDGER_VARIABLE

PROGRAM = f"""
import json, os, sys, time
directory = os.environ["ORCHESTRATOR_DATA_DIR"]
parameters = json.load(open(directory + "/config.json"))["parameters"]
ledger = os.open(os.environ["{LEDGER_VARIABLE}"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
me = {{key: os.environ["ORCHESTRATOR_" + key.upper()]
      for key in ("component", "configuration", "job_id", "run_id", "attempt")}}
def note(what):
    line = {{**me, "what": what, "pid": os.getpid(), "at": time.monotonic(), "wall": time.time()}}
    os.write(ledger, (json.dumps(line) + "\\n").encode())
note("start")
dice = int(me["job_id"][-6:], 16)
seconds = 4.5 if dice % 5 == 0 else dice % 120 / 1000
until = time.monotonic() + seconds
while (left := until - time.monotonic()) > 0:
    time.sleep(min(left, 0.02))
    note("alive")
note("end")
if parameters.get("fail_first") and me["attempt"] == "1":
    sys.exit("the first attempt fails")
json.dump({{"message": "done"}}, open(directory + "/result.json", "w"))
"""
"""Every fifth job outlives a test's lease twice, so that a runner is caught that is taken over too early
or whose tasks live on; the id decides, so that a repetition does the same."""


@dataclass(frozen=True)
class Execution:
    """One process of a task; a killed one has no end of its own."""

    configuration: str
    job_id: str
    run_id: str
    attempt: int
    pid: int
    first: float
    last: float
    wall_first: float
    wall_last: float
    ended: bool


def read(file: Path) -> list[Execution]:
    """In the order in which they started."""
    processes: dict[tuple[str, str, int], list[dict[str, Any]]] = {}
    for line in file.read_text().splitlines():
        entry = json.loads(line)
        processes.setdefault((entry["job_id"], entry["attempt"], entry["pid"]), []).append(entry)
    return sorted((_execution(notes) for notes in processes.values()), key=lambda each: each.first)


def _execution(notes: list[dict[str, Any]]) -> Execution:
    first, last = notes[0], notes[-1]
    return Execution(
        configuration=f"{first['component']}/{first['configuration']}",
        job_id=first["job_id"],
        run_id=first["run_id"],
        attempt=int(first["attempt"]),
        pid=first["pid"],
        first=first["at"],
        last=last["at"],
        wall_first=first["wall"],
        wall_last=last["wall"],
        ended=last["what"] == "end",
    )


def overlaps(executions: Iterable[Execution]) -> list[str]:
    """Processes of one configuration that lived at the same time, whoever started them."""
    groups: dict[str, list[Execution]] = {}
    for execution in executions:
        groups.setdefault(execution.configuration, []).append(execution)
    found = []
    for configuration, group in groups.items():
        latest = group[0]
        for execution in group[1:]:
            if execution.first < latest.last:
                found.append(f"{configuration} overlaps: {latest} and {execution}")
            latest = max(latest, execution, key=lambda each: each.last)
    return found


def started_twice(executions: Iterable[Execution]) -> list[str]:
    """Attempts that had more than one process."""
    key = lambda each: (each.job_id, each.attempt)  # noqa: E731
    groups = itertools.groupby(sorted(executions, key=key), key)
    return [
        f"{job} attempt {attempt} was started twice"
        for (job, attempt), group in groups
        if len(list(group)) > 1
    ]

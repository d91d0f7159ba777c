"""What the tasks of a chaos run say about themselves, by both clocks and with their process ids."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.support.ledger import LEDGER_VARIABLE

PROGRAM = f"""
import json, os, sys, time
directory = os.environ["ORCHESTRATOR_DATA_DIR"]
parameters = json.load(open(directory + "/config.json"))["parameters"]
ledger = os.open(os.environ["{LEDGER_VARIABLE}"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
job, attempt, pid = os.environ["ORCHESTRATOR_JOB_ID"], os.environ["ORCHESTRATOR_ATTEMPT"], os.getpid()
def note(what, **more):
    line = {{"job_id": job, "attempt": int(attempt), "pid": pid, "what": what, "at": time.monotonic(),
            "wall": time.time(), **more}}
    os.write(ledger, (json.dumps(line) + "\\n").encode())
note("start", **{{key: os.environ["ORCHESTRATOR_" + key.upper()]
                 for key in ("project", "component", "configuration", "run_id")}})
dice = int(job[-6:], 16)
is_long = dice % parameters["long_of"] == 0
until = time.monotonic() + (parameters["long"] if is_long else dice % 120 / 1000)
lines = 0
while (left := until - time.monotonic()) > 0:
    if lines < 5 or left < 0.2:
        lines += 1
        print("attempt", attempt, "line", lines)
    time.sleep(min(left, 0.03))
    note("alive")
print("attempt", attempt, "wrote", lines, "lines")
note("end")
if parameters.get("fail_first") and attempt == "1":
    sys.exit("the first attempt fails")
json.dump({{"message": f"attempt {{attempt}} wrote {{lines}} lines"}}, open(directory + "/result.json", "w"))
"""
"""Every `long_of`th job takes `long` seconds, which outlives a lease, so that a runner is caught that is
taken over too early or whose tasks live on; the id decides, so that a repetition does the same. Result and
log tell the attempts apart. In between it is silent: a line would tell its runner who owns the job now."""


@dataclass(frozen=True)
class Execution:
    """One process of a task; a killed one has no end of its own. Times by CLOCK_MONOTONIC and by the wall."""

    project: str
    configuration: str
    job_id: UUID
    run_id: UUID
    attempt: int
    pid: int
    first: float
    last: float
    wall_first: float
    wall_last: float
    ended: bool


def read(file: Path) -> list[Execution]:
    """In the order in which they started; a line that is being written now is left for the next reading."""
    processes: dict[tuple[str, int, int], tuple[dict[str, Any], dict[str, Any]]] = {}
    with file.open() as lines:
        for line in lines:
            if not line.endswith("\n"):
                break
            entry = json.loads(line)
            key = (entry["job_id"], entry["attempt"], entry["pid"])
            processes[key] = (processes[key][0] if key in processes else entry, entry)
    return sorted((_execution(*notes) for notes in processes.values()), key=lambda each: each.first)


def _execution(first: dict[str, Any], last: dict[str, Any]) -> Execution:
    return Execution(
        project=first["project"],
        configuration=f"{first['component']}/{first['configuration']}",
        job_id=UUID(first["job_id"]),
        run_id=UUID(first["run_id"]),
        attempt=first["attempt"],
        pid=first["pid"],
        first=first["at"],
        last=last["at"],
        wall_first=first["wall"],
        wall_last=last["wall"],
        ended=last["what"] == "end",
    )

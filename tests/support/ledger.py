"""What tasks themselves say about their executions: a file to which every one appends while it lives."""

import itertools
import json
import time
from dataclasses import dataclass
from pathlib import Path

LEDGER_VARIABLE = "TEST_LEDGER"

PROGRAM = """
import json, os, sys, time
directory, name = os.environ["ORCHESTRATOR_DATA_DIR"], os.environ["TEST_LEDGER"]
parameters = json.load(open(directory + "/config.json"))["parameters"]
ledger = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
me = {key: os.environ["ORCHESTRATOR_" + key.upper()]
      for key in ("component", "configuration", "job_id", "run_id", "attempt", "scheduled_for")}
def note(what):
    os.write(ledger, (json.dumps({**me, "what": what, "at": time.monotonic()}) + "\\n").encode())
def present(name):
    lines = [json.loads(line) for line in open(os.environ["TEST_LEDGER"]) if line.endswith("\\n")]
    return any(name == line["configuration"] and line["run_id"] == me["run_id"] for line in lines)
note("start")
print("attempt", me["attempt"], flush=True)
began, others = time.monotonic(), parameters.get("meet", [])
while time.monotonic() < began + parameters.get("seconds", 0) or not all(map(present, others)):
    if time.monotonic() > began + 30:
        sys.exit("met nobody within 30 s: the others did not run beside this task")
    time.sleep(0.02)
    note("alive")
note("end")
if parameters.get("fail"):
    sys.exit(parameters["fail"])
tables = [{"table": table, "rows": 1} for table in parameters.get("tables", [])]
json.dump({"message": "done", "output_tables": tables}, open(directory + "/result.json", "w"))
"""
"""`seconds` to work, configurations of the run to `meet`, `tables` to report, a message to `fail` with."""

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "seconds": {"type": "number", "minimum": 0},
        "meet": {"type": "array", "items": {"type": "string"}},
        "tables": {"type": "array", "items": {"type": "string"}},
        "fail": {"type": "string"},
    },
}


@dataclass(frozen=True)
class Execution:
    """One attempt as its process saw it; killed ones have no `end`."""

    configuration: str
    job_id: str
    run_id: str
    attempt: int
    first: float
    last: float
    ended: bool
    starts: int


class Ledger:
    """Read at any time; times are CLOCK_MONOTONIC, one clock for all processes of the machine."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.file.touch()

    def sign(self, name: str, run_id: str) -> None:
        """Appear in a run under a name that one of its tasks is to `meet`: until then it works."""
        entry = {"component": "test", "configuration": name, "run_id": run_id, "job_id": f"{name} {run_id}"}
        entry |= {"attempt": "1", "scheduled_for": "", "what": "start"}
        with self.file.open("a") as file:
            file.write(json.dumps({**entry, "at": time.monotonic()}) + "\n")

    def executions(self, run_id: str | None = None) -> list[Execution]:
        """In the order in which they started, of one run or of all."""
        groups: dict[tuple[str, int], list[dict[str, str]]] = {}
        for line in self.file.read_text().splitlines():
            entry = json.loads(line)
            groups.setdefault((entry["job_id"], int(entry["attempt"])), []).append(entry)
        found = [_execution(entries) for entries in groups.values()]
        return sorted(
            (each for each in found if run_id in (None, each.run_id)), key=lambda execution: execution.first
        )

    def check_serial(self) -> None:
        """No two executions of one configuration overlap, and no attempt was started twice."""
        executions = self.executions()
        assert all(execution.starts == 1 for execution in executions), executions
        key = lambda execution: execution.configuration  # noqa: E731
        for configuration, group in itertools.groupby(sorted(executions, key=key), key):
            for earlier, later in itertools.pairwise(sorted(group, key=lambda each: each.first)):
                assert earlier.last <= later.first, f"{configuration} overlaps:\n{earlier}\n{later}"


def _execution(entries: list[dict[str, str]]) -> Execution:
    times = [float(entry["at"]) for entry in entries]
    what = [entry["what"] for entry in entries]
    first = entries[0]
    return Execution(
        configuration=f"{first['component']}/{first['configuration']}",
        job_id=first["job_id"],
        run_id=first["run_id"],
        attempt=int(first["attempt"]),
        first=min(times),
        last=max(times),
        ended="end" in what,
        starts=what.count("start"),
    )

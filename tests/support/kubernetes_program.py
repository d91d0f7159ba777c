"""A program under the component contract that does what its parameters say; uses nothing but Python."""

import json
import os
import pathlib
import sys
import time

config = json.loads(pathlib.Path("config.json").read_text())
parameters = config["parameters"]
behaviour = parameters["behaviour"]


def leave(name: str, value: object) -> None:
    pathlib.Path(f"{name}.new").write_text(json.dumps(value))
    os.replace(f"{name}.new", f"{name}.json")


if behaviour == "fail_as_user":
    print("step 1 of 2", file=sys.stderr)
    print("no such column: amount", file=sys.stderr)
    sys.exit(1)
if behaviour == "fail_internally":
    sys.exit(7)
if behaviour == "hang":
    print("hanging", flush=True)
    while not pathlib.Path(os.environ["RELEASED"]).exists():
        time.sleep(0.01)
if behaviour == "report":
    leave(
        "result",
        {"message": "3 rows", "output_tables": [{"table": "out.c-main.a", "rows": 3}, "out.c-main.b"]},
    )
if behaviour == "count_runs":
    state = pathlib.Path("state.json")
    before = json.loads(state.read_text()) if state.exists() else {}
    runs = before.get("runs", 0) + 1
    leave("state", {"runs": runs} | ({"filling": parameters["filling"]} if "filling" in parameters else {}))
    leave("result", {"message": f"run {runs}"})
if behaviour == "echo_config":
    print(parameters["say"], flush=True)
    leave("result", {"message": parameters["say"]})
if behaviour == "lines":
    for number in range(parameters["count"]):
        print(f"line {number}", flush=True)
        time.sleep(parameters.get("pause", 0))

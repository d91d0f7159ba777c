# ruff: noqa: T201  (a component's stdout is its log)
"""A whole component, without any library: greets whoever is named in its parameters."""

import json
import os
import sys
from pathlib import Path

folder = Path(os.environ["ORCHESTRATOR_DATA_DIR"])
parameters = json.loads((folder / "config.json").read_text())["parameters"]
if not isinstance(parameters, dict) or not isinstance(parameters.get("name"), str):
    sys.exit("parameters.name: tell me whom to greet")  # exit code 1 shows this line to the person
print(f"Scheduled for {os.environ['ORCHESTRATOR_SCHEDULED_FOR']}")
result = {"message": f"Hello, {parameters['name']}!", "output_tables": []}
(folder / "result.json.part").write_text(json.dumps(result))
(folder / "result.json.part").replace(folder / "result.json")

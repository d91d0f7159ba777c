"""The demo of an empty project: the example's orchestrations on samples that exist."""

from pathlib import Path
from typing import Any

import yaml

from orchestrator_api.definitions.demo import MAIN, documents
from orchestrator_components.csv_source import SAMPLES

EXAMPLE = Path(__file__).parents[3] / "examples/nycflights/orchestrator.yaml"


def phases(found: Any) -> dict[str, Any]:
    return {each["orchestration"]: each["phases"] for each in found if "orchestration" in each}


def test_its_orchestrations_are_those_of_the_example() -> None:
    ours, theirs = phases(documents()), phases(yaml.safe_load_all(EXAMPLE.read_text()))

    assert MAIN in ours
    assert ours == {name: theirs[name] for name in ours}
    assert theirs.keys() - ours.keys() == {"minutely"}  # nothing runs every minute unasked


def test_its_tasks_have_configurations_and_its_sources_exist() -> None:
    configurations = {each["configuration"]: each for each in documents() if "configuration" in each}
    used = {
        task["run"] for found in phases(documents()).values() for phase in found for task in phase["tasks"]
    }
    sources = [
        each["parameters"]["source"] for each in configurations.values() if "source" in each["parameters"]
    ]

    assert used == configurations.keys()
    assert len(sources) == 4
    assert all((SAMPLES / source.removeprefix("sample:")).is_file() for source in sources)

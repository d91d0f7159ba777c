"""The flights example: every task has an acceptable configuration, and the trigger can fire."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator_components import csv_extractor, csv_writer, sql_transformation

FILE = Path(__file__).parents[3] / "examples" / "nycflights" / "orchestrator.yaml"
DOCUMENTS: list[dict[str, Any]] = list(yaml.safe_load_all(FILE.read_text()))
CONFIGURATIONS = {
    document["configuration"]: document for document in DOCUMENTS if "configuration" in document
}
ORCHESTRATIONS = {
    document["orchestration"]: document for document in DOCUMENTS if "orchestration" in document
}
PARSERS: dict[str, Callable[[Mapping[str, Any]], object]] = {
    "csv-extractor": csv_extractor.parse_parameters,
    "sql-transformation": sql_transformation.parse_parameters,
    "csv-writer": csv_writer.parse_parameters,
}


def tasks(orchestration: str) -> list[str]:
    return [task["run"] for phase in ORCHESTRATIONS[orchestration]["phases"] for task in phase["tasks"]]


def test_tasks_and_configurations_match() -> None:
    used = [task for name in ORCHESTRATIONS for task in tasks(name)]

    assert sorted(used) == sorted(CONFIGURATIONS)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration_is_accepted(name: str) -> None:
    parameters = CONFIGURATIONS[name]["parameters"]
    assert parameters["#connection"] == "{{ vars.warehouse }}"

    PARSERS[name.partition("/")[0]]({**parameters, "#connection": "postgresql://h/d"})


def test_the_trigger_waits_for_what_flights_updates() -> None:
    updated = {
        table
        for task in tasks("flights")
        for table in CONFIGURATIONS[task]["parameters"].get("output_tables", [])
    }
    for trigger in ORCHESTRATIONS["carrier-report"]["triggers"].values():
        assert len(trigger["tables"]) == 2
        assert set(trigger["tables"]) <= updated

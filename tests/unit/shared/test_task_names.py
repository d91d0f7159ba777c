"""What tasks are called."""

from typing import Any

import pytest

from orchestrator_shared.definitions.task_names import task_name

NAMES = {("writer", "agency"): "Agency report"}


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ({}, "Agency report"),
        ({"name": ""}, "Agency report"),
        ({"name": "writer/agency"}, "Agency report"),
        ({"name": "writer/agency-2", "id": "writer/agency-2"}, "Agency report"),
        ({"name": "Report"}, "Report"),
        ({"configuration": "gone", "id": "writer/gone", "name": "writer/gone"}, "writer/gone"),
        ({"configuration": "gone", "id": "writer/gone"}, "writer/gone"),
    ],
)
def test_a_task_has_its_own_name_or_that_of_its_configuration(task: dict[str, Any], name: str) -> None:
    usual = {"id": "writer/agency", "component": "writer", "configuration": "agency"}
    assert task_name({**usual, **task}, NAMES) == name

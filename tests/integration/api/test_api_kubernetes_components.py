"""Components that run as Kubernetes Jobs are registered, applied and hidden like any other."""

from typing import Any

import pytest
from tests.integration.api.conftest import Client

IMAGE = "registry.example.com/team/loader@sha256:" + "a1" * 32
SECTION: dict[str, Any] = {
    "image": IMAGE,
    "command": ["python", "/app/loader.py"],
    "environment": {"REGION": "eu"},
    "resources": {"requests": {"cpu": "250m"}, "limits": {"memory": "512Mi"}},
    "tolerations": [{"key": "batch", "operator": "Exists"}],
    "start_timeout": "5m",
}
DOCUMENT = {"type": "extractor", "executor": "kubernetes", "kubernetes": SECTION}


async def test_it_is_registered_once_and_applying_it_again_changes_nothing(admin: Client) -> None:
    first = await admin.put("/v1/components/loader", DOCUMENT, status=201)
    await admin.put("/v1/components/loader", DOCUMENT, status=200)
    assert first["executor"] == "kubernetes"
    assert first["definition"]["kubernetes"]["start_timeout_seconds"] == 300

    documents = [{"component": "loader", "name": "loader", **DOCUMENT}]
    again = await admin.post("/v1/projects/demo/definitions/plan", {"documents": documents}, status=200)
    assert {change["action"] for change in again["changes"]} == {"unchanged"}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"executor": "kubernetes"}, "belong together"),
        ({"command": ["true"], "kubernetes": SECTION}, "belong together"),
        ({**DOCUMENT, "command": ["true"]}, "belong into the section kubernetes"),
        ({**DOCUMENT, "kubernetes": {"image": "registry.example.com/team/loader:1"}}, "has no digest"),
        ({**DOCUMENT, "kubernetes": {**SECTION, "user": 0}}, "at least 1"),
        ({**DOCUMENT, "kubernetes": {**SECTION, "privileged": True}}, "privileged"),
    ],
)
async def test_what_cannot_run_is_refused(admin: Client, document: dict[str, Any], words: str) -> None:
    problem = await admin.put("/v1/components/odd", {"type": "writer", **document}, status=422)
    assert words in str(problem)

"""What a new stack needs before the first command: a project and the built-in components."""

from importlib import resources
from typing import Any

import yaml

from orchestrator_cli.client import ApiClient, Refused

PROJECT = "demo"


def builtin_components() -> list[dict[str, Any]]:
    """The component documents that ship with the product."""
    folder = resources.files("orchestrator_components").joinpath("definitions")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda f: f.name)
    return [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]


def ensure_project(client: ApiClient, project: str) -> bool:
    """Returns whether it had to be created."""
    try:
        client.get(f"/projects/{project}")
    except Refused as refusal:
        if refusal.status != 404:
            raise
    else:
        return False
    client.post("/projects", {"id": project, "name": project.replace("-", " ").capitalize()})
    return True


def register_components(client: ApiClient) -> int:
    documents = builtin_components()
    for document in documents:
        client.put(f"/components/{document['component']}", document)
    return len(documents)

"""`orchestrator components register --kubernetes-image`: the document of a program becomes that of a Job."""

from importlib import resources
from pathlib import Path

import pytest
import yaml

from orchestrator_api.catalog.models import ComponentIn
from orchestrator_cli.commands.components import in_kubernetes
from orchestrator_cli.failures import BadInput

DOCUMENTS = sorted(Path(str(resources.files("orchestrator_components") / "definitions")).glob("*.yaml"))
IMAGE = f"registry.example.com/orchestrator-components@sha256:{'0' * 64}"


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.stem)
def test_every_built_in_component_can_be_a_job(file: Path) -> None:
    program = yaml.safe_load(file.read_text(encoding="utf-8"))

    changed = ComponentIn.model_validate(in_kubernetes(program, IMAGE))

    assert changed.executor == "kubernetes"
    assert changed.kubernetes is not None
    assert changed.kubernetes.image == IMAGE
    assert changed.kubernetes.command == ["python", *program["command"][1:]]
    assert changed.kubernetes.environment == program.get("environment", {})
    assert changed.parameters == program["parameters"]
    assert changed.after_crash == program["after_crash"]


def test_only_programs_can_be_changed() -> None:
    with pytest.raises(BadInput, match="has the executor http"):
        in_kubernetes({"component": "c", "type": "extractor", "executor": "http", "http": {}}, IMAGE)

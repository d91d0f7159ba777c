"""The generated documents in docs/contracts are those of the present models."""

from pathlib import Path

import pytest

from orchestrator_shared.contracts import schemas
from orchestrator_shared.contracts.routing import MESSAGES, QUEUES


def test_the_committed_documents_are_up_to_date() -> None:
    names = schemas.stale(schemas.FOLDER)
    assert not names, f"run `python -m orchestrator_shared.contracts.schemas`; stale: {names}"


def test_a_change_makes_them_stale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schemas.write(tmp_path)
    assert schemas.main([str(tmp_path), "--check"]) == 0
    (tmp_path / "orchestrator.run.requested.v1.schema.json").write_text("{}")
    (tmp_path / "orchestrator.run.forgotten.v1.schema.json").write_text("{}")
    assert schemas.main([str(tmp_path), "--check"]) == 1
    assert capsys.readouterr().err.count("stale: ") == 2
    assert schemas.main([str(tmp_path)]) == 0
    assert schemas.stale(tmp_path) == []


def test_every_reference_of_the_asyncapi_document_resolves() -> None:
    document, names = schemas.asyncapi(), schemas.documents()

    def check(node: object) -> None:
        if isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str) and reference.startswith("#/"):
                target: object = document
                for part in reference[2:].split("/"):
                    assert isinstance(target, dict)
                    target = target[part]
            elif isinstance(reference, str):
                assert reference.removeprefix("./") in names
            for value in node.values():
                check(value)
        elif isinstance(node, list):
            for value in node:
                check(value)

    check(document)
    assert len(document["channels"]) == len(MESSAGES)
    assert len(document["operations"]) == sum(len(queue.messages) for queue in QUEUES)

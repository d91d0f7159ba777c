"""The example that people start from can be applied, and applied again without a change."""

from pathlib import Path

from tests.integration.api.conftest import Client

from orchestrator_shared.definitions.loader import load_files

REPOSITORY = Path(__file__).parents[3]
FILES = [
    REPOSITORY / "components" / "src" / "orchestrator_components" / "definitions",
    REPOSITORY / "examples" / "nycflights" / "orchestrator.yaml",
]


async def test_example_is_applied_and_exported(admin: Client) -> None:
    documents = [document.raw for document in load_files(FILES).require()]
    first = await admin.post("definitions/apply", {"documents": documents})
    assert {change["action"] for change in first["changes"]} == {"create"}
    again = await admin.post("definitions/apply", {"documents": documents})
    assert {change["action"] for change in again["changes"]} == {"unchanged"}
    exported = (await admin.get("definitions"))["documents"]
    once_more = await admin.post("definitions/apply", {"documents": exported, "prune": True})
    assert {change["action"] for change in once_more["changes"]} == {"unchanged"}

"""Plans and applies definition documents; an apply carries out the plan that was made, or nothing."""

from collections.abc import Sequence

from orchestrator_cli.client import ApiClient, Json

PRUNABLE = ("configuration", "orchestration", "variable", "bucket")


def plan_documents(
    client: ApiClient, project_path: str, documents: list[Json], *, prune: Sequence[str] = ()
) -> Json:
    """What applying the documents would change; `prune` names kinds to delete where no document is."""
    return client.post(f"{project_path}/definitions/plan", _body(documents, prune))


def apply_documents(
    client: ApiClient, project_path: str, documents: list[Json], *, plan_id: str, prune: Sequence[str] = ()
) -> Json:
    """Carry out a plan of these documents; refused if anything that it is about has changed since."""
    return client.post(f"{project_path}/definitions/apply", {**_body(documents, prune), "plan_id": plan_id})


def _body(documents: list[Json], prune: Sequence[str]) -> Json:
    return {"documents": documents, **({"prune_kinds": list(prune)} if prune else {})}

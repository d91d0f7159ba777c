"""Plans and applies definition documents; an apply carries out the plan that was made, or nothing."""

from orchestrator_cli.client import ApiClient, Json


def plan_documents(
    client: ApiClient, project_path: str, documents: list[Json], *, prune: bool = False
) -> Json:
    """What applying the documents would change."""
    return client.post(f"{project_path}/definitions/plan", {"documents": documents, "prune": prune})


def apply_documents(
    client: ApiClient, project_path: str, documents: list[Json], *, plan_id: str, prune: bool = False
) -> Json:
    """Carry out a plan of these documents; refused if anything that it is about has changed since."""
    body = {"documents": documents, "prune": prune, "plan_id": plan_id}
    return client.post(f"{project_path}/definitions/apply", body)

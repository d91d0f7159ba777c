"""`orchestrator jobs why`: why a job waits."""

from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.output import (
    plain,
    print_json,
)


def why(job: str, project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """Show why a job waits now, for whom, and when it is expected to start."""
    where = context(project)
    with where.client() as client:
        explanation = client.get(where.project_path(f"jobs/{job}/explanation"))
    if as_json:
        print_json(explanation)
        return
    print(plain(str(explanation["sentence"])))

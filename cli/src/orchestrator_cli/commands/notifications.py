"""`orchestrator notifications`: who is notified of what."""

import typer

from orchestrator_cli.client import Json
from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.output import print_json, print_table

app = typer.Typer()


@app.command("list")
def list_notifications(
    orchestration: str, project: ProjectOption = None, as_json: JsonOption = False
) -> None:
    """List who is notified of what about an orchestration."""
    where = context(project)
    with where.client() as client:
        found = client.get(where.project_path(f"orchestrations/{orchestration}/notifications"))
    if as_json:
        print_json(found["subscriptions"])
        return
    print_table(
        ("address", "event", "limit"),
        ((each["address"], each["event"].replace("_", " "), _limit(each)) for each in found["subscriptions"]),
    )


def _limit(subscription: Json) -> str:
    if percent := subscription.get("percent"):
        return f"{percent} % longer than usual"
    minutes = subscription.get("minutes")
    return f"more than {minutes} minutes" if minutes else ""

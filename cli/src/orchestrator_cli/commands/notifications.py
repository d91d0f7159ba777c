"""`orchestrator notifications`: who is notified of what."""

from enum import StrEnum
from typing import Annotated

import typer

from orchestrator_cli.client import Json
from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.output import plain, print_json, print_table

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
        empty=f"No one is notified about {orchestration}.",
    )


class Origin(StrEnum):
    """How a run starts."""

    MANUAL = "manual"
    UNATTENDED = "unattended"


@app.command()
def recipients(
    orchestration: str,
    origin: Annotated[
        Origin | None, typer.Option("--origin", help="By default, what a run that you start would be.")
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """List who will be notified of a run, of which events, and why."""
    where = context(project)
    with where.client() as client:
        path = where.project_path(f"orchestrations/{orchestration}/notifications/recipients")
        found = client.get(path, origin=None if origin is None else origin.value)
    if as_json:
        print_json(found)
        return
    print_table(
        ("event", "address", "because this person"),
        (
            (each["event"].replace("_", " "), one["address"], one["because"])
            for each in found["events"]
            for one in each["recipients"]
        ),
        empty="No one will be notified.",
    )
    print(plain(found["explanation"]))


@app.command("test")
def send_test(
    orchestration: str,
    address: Annotated[str, typer.Argument(help="One of the addresses that are subscribed to it.")],
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send a test mail to a subscribed address."""
    where = context(project)
    with where.client() as client:
        path = where.project_path(f"orchestrations/{orchestration}/notifications/test-deliveries")
        found = client.post(path, {"address": address})
    if as_json:
        print_json(found)
        return
    print(plain(f"a test mail to {found['address']} is on its way: see `orchestrator deliveries`"))


def _limit(subscription: Json) -> str:
    if percent := subscription.get("percent"):
        return f"{percent} % longer than usual"
    minutes = subscription.get("minutes")
    return f"more than {minutes} minutes" if minutes else ""

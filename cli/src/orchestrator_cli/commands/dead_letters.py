"""`orchestrator dead-letters`: messages that no service could handle, with the reason."""

import typer

from orchestrator_cli.commands.options import JsonOption, context
from orchestrator_cli.output import day_and_time, print_json, print_table

MOST = 500
"""The server lists at most this many; dead letters are not paged."""

app = typer.Typer()


@app.command("list")
def list_dead_letters(as_json: JsonOption = False) -> None:
    """List the messages that could not be handled, and why (administrators only)."""
    with context().client() as client:
        items = client.get("/dead-letters", limit=MOST)["items"]
    if as_json:
        print_json(items)
        return
    print_table(
        ("id", "queue", "routing key", "reason", "since"),
        (
            (
                item["id"],
                item["queue"],
                item["routing_key"],
                item["reason"],
                day_and_time(item["first_seen"]),
            )
            for item in items
        ),
        empty="No dead letters: every message was handled.",
    )
    if len(items) == MOST:
        print(f"Showing the oldest {MOST}; there may be more.")


@app.command()
def replay(letter: str) -> None:
    """Send one to its original queue again, once its cause is fixed."""
    with context().client() as client:
        client.post(f"/dead-letters/{letter}/replay")
    print(f"replayed {letter}")


@app.command()
def drop(letter: str) -> None:
    """Delete one permanently."""
    with context().client() as client:
        client.discard(f"/dead-letters/{letter}")
    print(f"deleted {letter}")

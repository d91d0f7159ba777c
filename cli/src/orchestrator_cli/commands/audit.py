"""`orchestrator audit`: who did what, when, and from where."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import typer

from orchestrator_cli.client import Json
from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.commands.times import instant
from orchestrator_cli.failures import BadInput
from orchestrator_cli.output import day_and_time, print_json, print_line, print_table

MAX_SHOWN = 60

Output = Literal["table", "json", "jsonl"]


def audit(
    project: ProjectOption = None,
    instance: Annotated[
        bool, typer.Option("--instance", help="Records that belong to no project (administrators only).")
    ] = False,
    actor: Annotated[
        str | None, typer.Option("--actor", help="Who: an e-mail address, or `token NAME`.")
    ] = None,
    action: Annotated[str | None, typer.Option("--action", help="What, as in configuration.changed.")] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="Of what, as the list shows it.")] = None,
    request: Annotated[str | None, typer.Option("--request", help="The X-Request-Id of a request.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="From when on: 2026-11-21T08:00:00Z, or 24h, 7d ago.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Until when, in the same form.")] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="How many; 20 by default, all for jsonl.", show_default=False),
    ] = None,
    output: Annotated[
        Output | None,
        typer.Option("--output", help="table, json, or jsonl: one record per line.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the newest changes, run requests and refusals: who did what, when, and from where."""
    where = context(None if instance else project)
    path = "/audit" if instance else where.project_path("audit")
    now = datetime.now(UTC)
    filters = {
        "actor": actor,
        "action": action,
        "subject": subject,
        "request_id": request,
        "since": instant("--since", since, now),
        "until": instant("--until", until, now),
    }
    if as_json and output not in (None, "json"):
        raise BadInput(f"--json and --output {output} contradict each other")
    shape: Output = "json" if as_json else output or "table"
    most = limit if limit is not None or shape == "jsonl" else 20
    with where.client() as client:
        _print(client.items(path, most=most, **filters), shape)


def _print(items: Iterator[Json], shape: Output) -> None:
    if shape == "jsonl":
        for item in items:
            print_line(item)
    elif shape == "json":
        print_json(list(items))
    else:
        print_table(
            ("at (UTC)", "who", "from", "what", "of", "changed"),
            (
                (
                    day_and_time(item["at"]),
                    item["actor"],
                    item.get("address") or "",
                    item["action"],
                    item["subject"],
                    _changed(item),
                )
                for item in items
            ),
            empty="No records match.",
        )


def _changed(item: Json) -> str:
    """The differences, or what else is known where there are none."""
    changes = item.get("changes") or []
    if not changes:
        return json.dumps(item["detail"], ensure_ascii=False) if item["detail"] else ""
    told = [_told(change) for change in changes]
    if more := item.get("omitted_changes"):
        told.append(f"and {more} more")
    return "\n".join(told)


def _told(change: Json) -> str:
    path, before, after = change["path"], _short(change.get("before")), _short(change.get("after"))
    match change["kind"]:
        case "added":
            return f"{path}: {after}"
        case "removed":
            return f"{path}: {before} removed"
        case "reordered":
            return f"{path}: reordered"
        case _ if change.get("secret"):
            return f"{path}: {before} → {after} (changed)"
        case _:
            return f"{path}: {before} → {after}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"

"""`orchestrator buckets`: which projects may select a bucket's tables in their triggers."""

from typing import Annotated, Literal

import typer

from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.output import day_and_time, nothing, plain, print_json, print_table

app = typer.Typer()

Bucket = Annotated[str, typer.Argument(help="For example in.c-sales.")]
OtherProject = Annotated[str, typer.Argument(metavar="WITH", help="The other project.")]


@app.command("list")
def list_buckets(
    project: ProjectOption = None,
    search: Annotated[str | None, typer.Option(help="Part of the bucket's name.")] = None,
    shared: Annotated[
        Literal["with_me", "by_me"] | None, typer.Option(help="Only shared ones: with_me or by_me.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the project's buckets, and those that other projects share with it."""
    where = context(project)
    with where.client() as client:
        items = list(client.items(where.project_path("buckets"), search=search, shared=shared))
    if as_json:
        print_json(items)
        return
    print_table(
        ("owner", "bucket", "tables", "last heard (UTC)", "shared with"),
        (
            (
                item["project"],
                item["bucket"],
                item["tables"],
                day_and_time(item["last_heard_at"]),
                ", ".join(item["shared_with"]),
            )
            for item in items
        ),
        empty=nothing("buckets", (search, shared), "No buckets yet: no table was updated."),
    )


@app.command()
def shares(bucket: Bucket, project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """List the projects with which a bucket is shared."""
    where = context(project)
    with where.client() as client:
        items = list(client.items(where.project_path(f"buckets/{bucket}/shares")))
    if as_json:
        print_json(items)
        return
    print_table(
        ("shared with", "since (UTC)", "their triggers"),
        ((item["shared_with"], day_and_time(item["created_at"]), item.get("triggers", "")) for item in items),
        empty=f"{bucket} is not shared. Share it with `orchestrator buckets share {bucket} PROJECT`.",
    )


@app.command()
def share(bucket: Bucket, other: OtherProject, project: ProjectOption = None) -> None:
    """Let another project select a bucket's tables in its triggers (project admins)."""
    where = context(project)
    with where.client() as client:
        client.put(where.project_path(f"buckets/{bucket}/shares/{other}"), {})
    print(plain(f"shared {bucket} with {other}"))


@app.command()
def unshare(bucket: Bucket, other: OtherProject, project: ProjectOption = None) -> None:
    """Stop sharing a bucket; the other project's triggers on its tables are disabled (project admins)."""
    where = context(project)
    with where.client() as client:
        client.delete(where.project_path(f"buckets/{bucket}/shares/{other}"))
    print(plain(f"{bucket} is no longer shared with {other}"))

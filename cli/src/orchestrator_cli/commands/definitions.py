"""`apply`, `validate`, `diff`, `export`: definitions in YAML files, to the server and back."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator_cli.applying import apply_documents, plan_documents
from orchestrator_cli.client import Json
from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.definition_changes import change_lines, change_summary
from orchestrator_cli.definition_files import load_documents, to_yaml
from orchestrator_cli.failures import ExitCode
from orchestrator_cli.output import console, counted, is_writable, print_findings, print_json

FilesOption = Annotated[
    list[Path], typer.Option("--file", "-f", help="A YAML file, or a folder of them; repeatable.")
]
PruneOption = Annotated[
    bool, typer.Option("--prune", help="Also delete what is in the project but not in the files.")
]


def apply(
    file: FilesOption,
    project: ProjectOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the changes without making them.")] = False,
    prune: PruneOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make the project match the files; applying twice changes nothing."""
    documents, where = load_documents(file), context(project)
    with where.client() as client:
        answer = plan_documents(client, where.project_path(), documents, prune=prune)
        if not dry_run:
            seen = answer["plan_id"]
            answer = apply_documents(client, where.project_path(), documents, plan_id=seen, prune=prune)
    _show(answer, as_json=as_json, dry_run=dry_run)


def diff(
    file: FilesOption, project: ProjectOption = None, prune: PruneOption = False, as_json: JsonOption = False
) -> None:
    """Show what `apply` would change; exit code 1 if there are changes."""
    documents, where = load_documents(file), context(project)
    with where.client() as client:
        answer = plan_documents(client, where.project_path(), documents, prune=prune)
    _show(answer, as_json=as_json, dry_run=True)
    if any(change["action"] != "unchanged" for change in answer["changes"]):
        raise typer.Exit(ExitCode.RUN_FAILED)


def validate(file: FilesOption) -> None:
    """Check files without a server; report each problem with file, line and column."""
    documents = load_documents(file)
    print(counted(len(documents), "document is valid", "documents are valid"))


def export(project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """Print the project's definitions as YAML; secrets appear as ***, which apply leaves unchanged."""
    where = context(project)
    with where.client() as client:
        answer = client.get(where.project_path("definitions"))
    documents: list[Json] = answer["documents"]
    if as_json:
        print_json(documents)
    else:
        text = to_yaml(documents)
        print(text if is_writable(text) else to_yaml(documents, ascii_only=True), end="")


def _show(answer: Json, *, as_json: bool, dry_run: bool) -> None:
    if as_json:
        print_json(answer)
        return
    screen = console()
    for line in change_lines(answer["changes"]):
        screen.print(line)
    print_findings(answer)
    summary = change_summary(answer["changes"])
    print(f"would be: {summary}" if dry_run and summary != "no changes" else summary)

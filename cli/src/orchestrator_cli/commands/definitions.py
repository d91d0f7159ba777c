"""`apply`, `validate`, `diff`, `export`: definitions in YAML files, to the server and back."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator_cli.applying import PRUNABLE, apply_documents, plan_documents
from orchestrator_cli.client import ApiClient, Json, Refused
from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.context import Context
from orchestrator_cli.definition_changes import change_lines, change_summary
from orchestrator_cli.definition_files import load_documents, with_secrets
from orchestrator_cli.failures import BadInput, ExitCode
from orchestrator_cli.output import (
    console,
    counted,
    error_console,
    is_writable,
    plain,
    print_findings,
    print_json,
)
from orchestrator_cli.refused_documents import by_file
from orchestrator_shared.definitions.loader import Document
from orchestrator_shared.definitions.yaml_text import to_yaml

if TYPE_CHECKING:
    from rich.console import Console

ALL = "all"
FilesOption = Annotated[
    list[Path], typer.Option("--file", "-f", help="A YAML file, or a folder of them; repeatable.")
]
DemoOption = Annotated[
    bool,
    typer.Option("--demo", help="Print the flights demo instead, which an empty project can begin with."),
]
PruneOption = Annotated[
    list[str] | None,
    typer.Option(
        "--prune",
        metavar="|".join((*PRUNABLE, ALL)),
        help="Also delete what of this kind is in the project but not in the files; repeatable.",
        autocompletion=lambda: [*PRUNABLE, ALL],
    ),
]


def apply(
    file: FilesOption,
    project: ProjectOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the changes without making them.")] = False,
    prune: PruneOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; for pipelines.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show how the project would change to match the files, ask, and change it."""
    kinds, where = pruned_kinds(prune or []), context(project)
    loaded = load_documents(file)
    documents = with_secrets(loaded)
    with where.client() as client, by_file(loaded):
        answer = plan_documents(client, where.project_path(), documents, prune=kinds)
        if not dry_run and not is_empty(answer):
            if not yes:
                _show_changes(answer, error_console() if as_json else console())
                _ask(where.project, answer)
            seen = answer["plan_id"]
            answer = apply_documents(client, where.project_path(), documents, plan_id=seen, prune=kinds)
    if as_json:
        print_json(answer)
        return
    if yes or dry_run:
        _show_changes(answer, console())
    print_findings(answer)
    _print_summary(answer, is_plan=dry_run)


def pruned_kinds(given: list[str]) -> tuple[str, ...]:
    if wrong := [kind for kind in given if kind not in (*PRUNABLE, ALL)]:
        raise BadInput(f"--prune {wrong[0]}: expected {', '.join(PRUNABLE)} or {ALL}")
    return PRUNABLE if ALL in given else tuple(sorted(set(given)))


def is_empty(plan: Json) -> bool:
    return all(change["action"] == "unchanged" for change in plan["changes"])


def _ask(project: str, plan: Json) -> None:
    """Return if the person agrees; a question that nobody can answer is refused."""
    if not sys.stdin.isatty():
        raise BadInput(
            f"{project} would change ({change_summary(plan['changes'])}), and there is no terminal to ask "
            "at: pass --yes to change it without a question; `orchestrator diff` only looks"
        )
    question = f"Change {plain(project)} ({change_summary(plan['changes'])})? [y/N] "
    print(question, end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise BadInput("nothing was changed")


def diff(
    file: FilesOption, project: ProjectOption = None, prune: PruneOption = None, as_json: JsonOption = False
) -> None:
    """Show what `apply` would change; exit code 1 if there are changes."""
    kinds, where = pruned_kinds(prune or []), context(project)
    loaded = load_documents(file)
    with where.client() as client, by_file(loaded):
        answer = plan_documents(client, where.project_path(), with_secrets(loaded), prune=kinds)
        if as_json:
            print_json(answer)
        else:
            _show_changes(answer, console())
            _show_diff(client, where, answer, loaded)
            print_findings(answer)
            _print_summary(answer, is_plan=True)
    if not is_empty(answer):
        raise typer.Exit(ExitCode.RUN_FAILED)


def _show_diff(client: ApiClient, where: Context, plan: Json, wanted: list[Document]) -> None:
    from orchestrator_cli.definition_diff import diff_lines

    if is_empty(plan):
        return
    try:
        current: list[Json] = client.get(where.project_path("definitions"))["documents"]
    except Refused:  # may change it, but not read it
        return
    screen = console()
    for line in diff_lines(plan["changes"], wanted, current):
        screen.print(line, soft_wrap=True)


def validate(file: FilesOption) -> None:
    """Check files without a server; report each problem with file, line and column."""
    documents = load_documents(file)
    print(counted(len(documents), "document is valid", "documents are valid"))


def export(project: ProjectOption = None, demo: DemoOption = False, as_json: JsonOption = False) -> None:
    """Print the project's definitions as YAML; secrets appear as ***, which apply leaves unchanged."""
    where = context(project)
    with where.client() as client:
        answer = client.get(where.project_path("definitions/demo" if demo else "definitions"))
    documents: list[Json] = answer["documents"]
    if as_json:
        print_json(documents)
    else:
        text = to_yaml(documents)
        print(text if is_writable(text) else to_yaml(documents, ascii_only=True), end="")


def _show_changes(answer: Json, screen: "Console") -> None:
    for line in change_lines(answer["changes"]):
        screen.print(line, soft_wrap=True)


def _print_summary(answer: Json, *, is_plan: bool) -> None:
    summary = change_summary(answer["changes"])
    print(f"would be: {summary}" if is_plan and summary != "no changes" else summary)

"""`orchestrator components`: what a project can run."""

from pathlib import Path

import typer
import yaml

from orchestrator_cli.client import Json
from orchestrator_cli.commands.options import JsonOption, context
from orchestrator_cli.failures import BadInput
from orchestrator_cli.output import print_json, print_table

app = typer.Typer()


@app.command()
def register(file: Path) -> None:
    """Register a component from its YAML, or update it (administrators only)."""
    document = _read(file)
    with context().client() as client:
        client.put(f"/components/{document['component']}", document)
    print(f"registered {document['component']}")


def _read(file: Path) -> Json:
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot read {file}: {error}") from None
    except yaml.YAMLError as error:
        raise BadInput(f"{file} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict) or not isinstance(document.get("component"), str):
        raise BadInput(f"{file}: expected one YAML document with the key `component`")
    return document


@app.command("list")
def list_components(as_json: JsonOption = False) -> None:
    """List the registered components."""
    with context().client() as client:
        items = list(client.items("/components"))
    if as_json:
        print_json(items)
        return
    print_table(
        ("component", "type", "executor", "name"),
        (
            (item.get("id") or item.get("component"), item["type"], item["executor"], item["name"])
            for item in items
        ),
        empty="No components yet. Register one with `orchestrator components register FILE`.",
    )

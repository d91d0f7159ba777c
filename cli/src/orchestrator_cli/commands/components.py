"""`orchestrator components`: what a project can run."""

from pathlib import Path
from typing import Annotated

import typer
import yaml

from orchestrator_cli.client import Json
from orchestrator_cli.commands.options import JsonOption, context
from orchestrator_cli.failures import BadInput
from orchestrator_cli.output import print_json, print_table

app = typer.Typer()


@app.command()
def register(
    file: Path,
    kubernetes_image: Annotated[
        str | None,
        typer.Option(help="Run the program of the YAML as a Kubernetes Job in this image: NAME@sha256:…"),
    ] = None,
) -> None:
    """Register a component from its YAML, or update it (administrators only)."""
    document = _read(file)
    if kubernetes_image is not None:
        document = in_kubernetes(document, kubernetes_image)
    with context().client() as client:
        client.put(f"/components/{document['component']}", document)
    print(f"registered {document['component']}")


def in_kubernetes(document: Json, image: str) -> Json:
    """The document of a program, changed to run it in a container of this image."""
    executor = document.get("executor", "process")
    if executor != "process":
        raise BadInput(
            f"--kubernetes-image is for programs; {document['component']} has the executor {executor}"
        )
    command = [part.replace("{python}", "python") for part in document.get("command", [])]
    section = {"image": image, "command": command, "environment": document.get("environment") or {}}
    kept = {key: value for key, value in document.items() if key not in ("command", "environment")}
    return {**kept, "executor": "kubernetes", "kubernetes": section}


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

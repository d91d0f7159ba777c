"""Issue 8, section B: whatever a server answers, no command lets it steer the terminal."""

import importlib
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from orchestrator_cli import client
from orchestrator_cli.lazy_commands import LOCAL, PLACES
from orchestrator_cli.main import main
from orchestrator_cli.transport import Request, Response

ROOT = Path(__file__).parents[3]
API = json.loads((ROOT / "docs/contracts/openapi.json").read_text())
EVIL = "\x1b[31mX\x1b]0;t\x07\x9b2J\u202eY\r\nZ\x00"
HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
STAMP, JOB = "2026-01-01T00:00:00Z", "01234567-89ab-7def-8123-456789abcdef"


def followed(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        node = API
        for part in schema["$ref"][2:].split("/"):
            node = node[part]
        schema = node
    return schema


def sample(schema: dict[str, Any], depth: int = 0) -> Any:
    """A value of the schema with hostile texts wherever it may hold a text, even a listed one."""
    schema = followed(schema)
    if depth > 12:
        return None
    for kind in ("anyOf", "oneOf", "allOf"):
        if kind in schema:
            choices = (each for each in schema[kind] if each.get("type") != "null")
            return sample(next(choices, {}), depth + 1)
    if "const" in schema:
        return schema["const"]
    match schema.get("type"):
        case "integer" | "number":
            return 1
        case "boolean":
            return True
        case "array":
            return [sample(schema.get("items", {}), depth + 1)]
        case "object":
            fields = {name: sample(each, depth + 1) for name, each in schema.get("properties", {}).items()}
            return {**fields, **({"next": None} if "next" in fields else {})} or {EVIL: EVIL}
    return {"date-time": STAMP, "uuid": JOB}.get(schema.get("format", ""), EVIL)


def answer(request: Request) -> bytes:
    """What the operation answers by the API's description."""
    path = request.target.partition("?")[0]
    for pattern, operations in API["paths"].items():
        if re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", pattern), path):
            responses = operations.get(request.method.lower(), {}).get("responses", {})
            for status, response in responses.items():
                if status.startswith("2") and "content" in response:
                    (content,) = response["content"].values()
                    return json.dumps(sample(content["schema"])).encode()
    return b"{}"


REFUSAL = json.dumps(
    {"title": EVIL, "detail": EVIL, "errors": [{"field": EVIL, "detail": EVIL}, EVIL]}
).encode()
OTHERS = {
    "a refusal": Response(422, REFUSAL),
    "a failure": Response(500, REFUSAL),
    "errors that are no list": Response(422, b'{"errors": 7}'),
    "nesting without end": Response(200, b"[" * 100_000),
    "a refusal with nesting without end": Response(422, b"[" * 100_000),
    "a list": Response(200, b"[]"),
    "a redirection": Response(302, b""),
    "a long number": Response(200, b'{"items": ' + b"9" * 10_000 + b"}"),
}


class Hostile:
    """A transport with such answers."""

    def __init__(self, always: Response | None) -> None:
        self._always = always

    def send(self, request: Request) -> Response:
        return self._always or Response(200, answer(request))

    def close(self) -> None:
        pass


def commands(file: Path) -> Iterator[list[str]]:
    """Every command that asks a server, with the arguments that it needs."""
    for place in PLACES:
        module, _, name = place.where.partition(":")
        if module.startswith(LOCAL) or place.name in ("db", "component"):
            continue
        made = getattr(importlib.import_module(module), name)
        if not isinstance(made, typer.Typer):
            single, function = typer.Typer(), made
            single.command()(function)
            yield [place.name, *_arguments(typer.main.get_command(single), file)]
            continue
        group: Any = typer.main.get_command(made)
        for each, command in getattr(group, "commands", {"": group}).items():
            yield [place.name, *([each] if each else []), *_arguments(command, file)]


def _arguments(command: Any, file: Path) -> Iterator[str]:
    for parameter in command.params:
        is_path = parameter.name in ("path", "paths", "files")
        if parameter.param_type_name == "argument" and (parameter.required or is_path):
            yield str(file) if is_path else JOB if "job" in parameter.name else "daily"
        elif parameter.required:
            yield from (parameter.opts[0], "read")


@pytest.mark.parametrize("kind", ["by the description", *OTHERS])
def test_no_answer_steers_the_terminal_or_ends_in_a_traceback(
    kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "f.yaml"
    file.write_text("configuration: a/b\nparameters: {a: 1}\n")
    for name, value in (("URL", "http://127.0.0.1:1"), ("TOKEN", "orc_x"), ("PROJECT", "demo")):
        monkeypatch.setenv(f"ORCHESTRATOR_{name}", value)
    monkeypatch.setattr(client, "_connection", lambda _: Hostile(OTHERS.get(kind)))
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    count = 0
    for arguments in commands(file):
        for more in ([], ["--json"]):
            code = main([*arguments, *more])
            told = capsys.readouterr()
            count += 1
            if kind != "by the description" and arguments[0] != "validate":
                assert code in (1, 2), (arguments, told)
            if arguments[:2] != ["jobs", "logs"]:  # in a pipe a log is as it was written
                assert not HARMFUL.search(told.out + told.err), (arguments, told)
    assert count > 60

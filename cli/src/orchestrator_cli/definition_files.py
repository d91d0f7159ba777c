"""Definitions in YAML files: checked without a server, and converted to what the API accepts."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from orchestrator_cli.client import Json
from orchestrator_cli.failures import BadInput
from orchestrator_cli.output import error_console, plain
from orchestrator_cli.secret_references import filled_in, misplaced_references
from orchestrator_shared.definitions.loader import Document, load_files
from orchestrator_shared.definitions.problems import Problem
from orchestrator_shared.definitions.yaml_nodes import plain_value


def load_documents(paths: Sequence[Path]) -> list[Document]:
    """The documents of all files; if there are problems, reports all of them."""
    loaded = load_files(paths)
    misplaced = [warning for document in loaded.documents for warning in misplaced_references(document)]
    for warning in (*loaded.warnings, *misplaced):
        error_console().print(f"warning: {plain(str(warning))}", markup=False)
    _refuse(loaded.problems)
    return loaded.documents


def with_secrets(documents: Sequence[Document]) -> list[Json]:
    """What the api gets: the documents with the secrets that they take from the environment."""
    filled = [filled_in(document, os.environ) for document in documents]
    _refuse([problem for _, problems in filled for problem in problems])
    return [raw for raw, _ in filled]


def _refuse(found: Sequence[Problem]) -> None:
    if found:
        problems = [str(problem) for problem in found]
        raise BadInput(f"the definitions are not valid ({_count(problems)}):", details=problems)


def _count(problems: Sequence[str]) -> str:
    return "1 problem" if len(problems) == 1 else f"{len(problems)} problems"


_LINE_BREAKS = "\r\x85\u2028\u2029\ufeff"


class _Dumper(yaml.SafeDumper):
    """Quotes strings that our reader would otherwise take for a number or a word like `null`."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        style = None if isinstance(plain_value(text), str) else "'"
        if any(character in _LINE_BREAKS for character in text):
            style = '"'  # other styles fold them into spaces
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _Dumper.represent_text)


def to_yaml(documents: Sequence[Json], *, ascii_only: bool = False) -> str:
    """The documents as one YAML text, in their original order."""
    return "".join(f"---\n{_document(document, ascii_only=ascii_only)}" for document in documents)


def _document(document: Json, *, ascii_only: bool) -> str:
    style: dict[str, Any] = {"sort_keys": False, "allow_unicode": not ascii_only, "width": 100}
    text: str = yaml.dump(document, Dumper=_Dumper, **style)
    return text if ascii_only or plain(text) == text else _document(document, ascii_only=True)

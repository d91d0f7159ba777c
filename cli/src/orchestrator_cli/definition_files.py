"""Definitions in YAML files: checked without a server, and converted to what the API accepts."""

import os
from collections.abc import Sequence
from pathlib import Path

from orchestrator_cli.client import Json
from orchestrator_cli.failures import BadInput
from orchestrator_cli.output import error_console, plain
from orchestrator_cli.secret_references import filled_in, misplaced_references
from orchestrator_shared.definitions.loader import Document, load_files
from orchestrator_shared.definitions.problems import Problem


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

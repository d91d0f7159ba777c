"""Definitions in YAML files: checked without a server, and turned into what the API takes."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from orchestrator_cli.client import Json
from orchestrator_cli.failures import BadInput
from orchestrator_shared.definitions.loader import load_files


def check_files(paths: Sequence[Path]) -> tuple[list[Json], list[str]]:
    """The documents as they were written, and every problem with its file, line and column."""
    loaded = load_files(paths)
    return [document.raw for document in loaded.documents], [str(problem) for problem in loaded.problems]


def load_documents(paths: Sequence[Path]) -> list[Json]:
    """The documents of all files; with problems, all of them are said and nothing is sent."""
    documents, problems = check_files(paths)
    if problems:
        raise BadInput(f"the definitions cannot be used ({_count(problems)}):", details=problems)
    return documents


def _count(problems: Sequence[str]) -> str:
    return "1 problem" if len(problems) == 1 else f"{len(problems)} problems"


def to_yaml(documents: Sequence[Json], *, ascii_only: bool = False) -> str:
    """Documents as one YAML text, in the order in which they came."""
    return "".join(
        f"---\n{yaml.safe_dump(document, sort_keys=False, allow_unicode=not ascii_only, width=100)}"
        for document in documents
    )

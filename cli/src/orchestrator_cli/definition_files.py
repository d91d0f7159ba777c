"""Definitions in YAML files: found, checked without a server, and turned into what the API takes."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from orchestrator_cli.client import Json
from orchestrator_cli.failures import BadInput

SUFFIXES = (".yaml", ".yml")


def find_files(paths: Sequence[Path]) -> list[Path]:
    """The files named, and the YAML files below the folders named, each once."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            below = sorted(
                file for file in path.rglob("*") if file.suffix in SUFFIXES and _is_visible(file, path)
            )
            if not below:
                raise BadInput(f"{path}: there is no YAML file below this folder")
            found |= dict.fromkeys(below)
        elif path.is_file():
            found[path] = None
        else:
            raise BadInput(f"{path}: there is no such file or folder")
    return list(found)


def _is_visible(file: Path, folder: Path) -> bool:
    return not any(part.startswith(".") for part in file.relative_to(folder).parts)


def load_documents(paths: Sequence[Path]) -> list[Json]:
    """The documents of all files; every problem of every file is said at once."""
    documents, problems = check_files(paths)
    if problems:
        raise BadInput(f"the definitions have {len(problems)} problem(s):", details=problems)
    return documents


def check_files(paths: Sequence[Path]) -> tuple[list[Json], list[str]]:
    raise NotImplementedError


def to_yaml(documents: Sequence[Json]) -> str:
    """Documents as one YAML text, in the order in which they came."""
    return "".join(
        f"---\n{yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)}"
        for document in documents
    )

"""Secrets that documents take from the environment: `"#password": ${ENV:NAME}`."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator_cli.client import Json
from orchestrator_shared.definitions.loader import Document
from orchestrator_shared.definitions.problems import Path, Problem, dotted

_REFERENCE = re.compile(r"\$\{ENV:(?P<name>[^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def filled_in(document: Document, environment: Mapping[str, str]) -> tuple[Json, list[Problem]]:
    """The document with its references replaced; what cannot be replaced, by file and line."""
    problems: list[Problem] = []

    def fill(value: Any, path: Path) -> Any:
        if isinstance(value, dict):
            return {key: fill(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [fill(item, (*path, index)) for index, item in enumerate(value)]
        name = _name_in(value) if _is_secret(path) else None
        if name is None:
            return value
        if wrong := _unusable(name, environment):
            problems.append(_at(document, path, wrong))
            return value
        return environment[name]

    return fill(document.raw, ()), problems


def misplaced_references(document: Document) -> Iterator[Problem]:
    """References where they mean nothing: the text would be stored as it is."""
    for path, name in _references(document.raw, ()):
        if not _is_secret(path):
            text = f"${{ENV:{name}}} is replaced only below keys that begin with #; here it stays as it is"
            yield _at(document, path, text)


def _references(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _references(item, (*path, key))
    elif (name := _name_in(value)) is not None:
        yield path, name


def _name_in(value: Any) -> str | None:
    """The name, if the value is a reference and nothing else."""
    found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return found["name"] if found else None


def _is_secret(path: Path) -> bool:
    return any(isinstance(key, str) and key.startswith("#") for key in path)


def _unusable(name: str, environment: Mapping[str, str]) -> str | None:
    if not _NAME.fullmatch(name):
        return f"{name!r} is not the name of a variable"
    if not environment.get(name):
        return f"the environment variable {name} is {'empty' if name in environment else 'not set'}"
    return None


def _at(document: Document, path: Path, text: str) -> Problem:
    line, column = document.source.place(path) if document.source else (document.line, None)
    return Problem(text, dotted(path), document.file, line, column)

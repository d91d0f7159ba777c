"""Reading definitions: several documents per file, several files per folder, and every problem at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from orchestrator_shared.definitions.bounded import ErrorBudget
from orchestrator_shared.definitions.models import (
    KINDS,
    Definition,
    OrchestrationDocument,
    identities,
)
from orchestrator_shared.definitions.nesting import find_cycle, format_cycle, knotted
from orchestrator_shared.definitions.orchestration import duplicate_task
from orchestrator_shared.definitions.problems import (
    MAX_PROBLEMS,
    DefinitionError,
    Path,
    Problem,
    Wrong,
    dotted,
    explain,
    unknown_key,
)
from orchestrator_shared.definitions.yaml_nodes import MAX_DEPTH, Budget, YamlDocument, read_yaml
from orchestrator_shared.domain.ids import ORCHESTRATOR

MAX_BYTES = 1024 * 1024
SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Document:
    """One definition, as it was written and as it is meant."""

    definition: Definition
    raw: dict[str, Any]
    """The plain JSON values as written: what the command line sends to the api."""
    file: str | None = None
    line: int | None = None
    source: YamlDocument | None = None
    """Where each part of it is in the file."""


@dataclass(slots=True)
class Loaded:
    """What was read. If there are problems, none of it may be used."""

    documents: list[Document] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    """Warnings: valid, but possibly not what was meant."""

    def require(self) -> list[Document]:
        """The documents; raises DefinitionError with every problem if there is any."""
        if self.problems:
            raise DefinitionError(self.problems[:MAX_PROBLEMS])
        return self.documents


def _offline(loaded: Loaded) -> Loaded:
    """Checks across documents; the api does them together with what is stored."""
    children: dict[str, list[str]] = {}
    places: dict[str, Document] = {}
    for document in loaded.documents:
        if isinstance(document.definition, OrchestrationDocument):
            tasks = document.definition.definition().tasks()
            name = document.definition.orchestration
            children[name] = [task.configuration for task in tasks if task.is_nested]
            places[name] = document
    knots, known = knotted(children), set[str]()
    for name, document in places.items():
        cycle = find_cycle(children, name) if name in knots and name not in known else None
        if cycle is not None:
            known.update(cycle)
            message = f"orchestrations would run each other in a cycle: {format_cycle(cycle)}"
            loaded.problems.append(Problem(message, "phases", document.file, document.line))
    return loaded


def load_files(paths: Sequence[FilePath]) -> Loaded:
    """Read files, and the `.yaml` and `.yml` files in folders and theirs (hidden ones left out)."""
    loaded, budget, size = Loaded(), Budget(), 0
    for path in paths:
        files = _files(path)
        if not files:
            loaded.problems.append(
                Problem("there is no such file, or no YAML file in the folder", file=str(path))
            )
        for file in files:
            content = _read(file, MAX_BYTES - size, loaded)
            size += len(content)
            _load(content, str(file), budget, loaded)
    return _offline(_complete(loaded))


def load_text(text: str, *, file: str = "definitions") -> Loaded:
    """Read documents from a text; `file` is its name in problems."""
    loaded = Loaded()
    if len(text.encode(errors="replace")) > MAX_BYTES:
        loaded.problems.append(Problem(_TOO_LONG, file=file))
    else:
        _load(text, file, Budget(), loaded)
    return _offline(_complete(loaded))


def parse_documents(raws: Sequence[object]) -> Loaded:
    """Read documents that came as JSON, as the api gets them; paths begin with `documents[0]`."""
    loaded = Loaded()
    for index, raw in enumerate(raws):
        prefix = f"documents[{index}]"
        found, problems = _parse(raw)
        loaded.problems += [
            Problem(wrong.message, path=f"{prefix}.{dotted(wrong.path)}".rstrip("."), position=wrong.position)
            for wrong in problems
        ]
        if found is not None:
            loaded.documents.append(Document(*found))
    return _complete(loaded)


_TOO_LONG = f"more than {MAX_BYTES // 1024} KiB of definitions: apply them in parts"


def _files(path: FilePath) -> list[FilePath]:
    if not path.is_dir():
        return [path] if path.is_file() else []
    inside = (file for file in sorted(path.rglob("*")) if file.suffix in SUFFIXES and file.is_file())
    return [file for file in inside if not any(p.startswith(".") for p in file.relative_to(path).parts)]


def _read(file: FilePath, allowed: int, loaded: Loaded) -> str:
    try:
        with file.open("rb") as stream:
            content = stream.read(allowed + 1)
        if len(content) > allowed:
            loaded.problems.append(Problem(_TOO_LONG, file=str(file)))
            return ""
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        loaded.problems.append(
            Problem(f"the file is not valid UTF-8 (byte {error.start + 1})", file=str(file))
        )
    except OSError as error:
        loaded.problems.append(Problem(f"cannot be read: {error.strerror}", file=str(file)))
    return ""


def _load(text: str, file: str, budget: Budget, loaded: Loaded) -> None:
    documents, problems = read_yaml(text, file=file, budget=budget)
    loaded.problems += problems
    for document in documents:
        loaded.problems += document.problems
        loaded.warnings += document.warnings
        found, wrong = _parse(document.value)
        if not document.problems:  # otherwise the consequential errors would only confuse
            loaded.problems += [_placed(each, document, file) for each in wrong]
        if found is not None:
            line, _ = document.place(())
            loaded.documents.append(Document(*found, file=file, line=line, source=document))


def _placed(wrong: Wrong, document: YamlDocument, file: str) -> Problem:
    line, column = document.place(wrong.path)
    return Problem(wrong.message, dotted(wrong.path), file, line, column, wrong.position)


def _parse(raw: object) -> tuple[tuple[Definition, dict[str, Any]] | None, list[Wrong]]:
    if not isinstance(raw, dict) or not all(isinstance(key, str) for key in raw):
        return None, [Wrong((), f"expected a document with one of the keys {', '.join(KINDS)}")]
    if problems := [Wrong(*each) for each in islice(_unstorable(raw, []), MAX_PROBLEMS)]:
        return None, problems
    kinds = [kind for kind in KINDS if kind in raw]
    if len(kinds) != 1:
        return None, [Wrong(*_unclear_kind(raw, kinds))]
    model = KINDS[kinds[0]]
    try:
        definition: Definition = model.model_validate(raw, context=ErrorBudget(MAX_PROBLEMS))
    except ValidationError as error:
        return None, explain(error, model)
    problems = [Wrong(*each) for each in _contradictions(definition)]
    return (None if problems else (definition, raw)), problems


def _unclear_kind(raw: dict[str, Any], kinds: list[str]) -> tuple[Path, str]:
    if kinds:
        return (
            kinds[1],
        ), f"a document is either {' or '.join(kinds)}: write two documents, with `---` between"
    first = next(iter(raw), "")
    return (first,) if first else (), unknown_key(first, list(KINDS)) + "; it says what the document is"


def _unstorable(value: object, path: list[str | int]) -> Iterator[tuple[Path, str]]:
    """What JSON in PostgreSQL cannot hold, and nesting that no definition needs."""
    if len(path) > MAX_DEPTH:
        yield tuple(path[:3]), f"nested deeper than {MAX_DEPTH} levels"
    elif isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            if isinstance(key, str):
                yield from _unstorable(key, path)
            path.append(key)
            yield from _unstorable(item, path)
            path.pop()
    elif isinstance(value, str):
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            yield tuple(path), "the text has a character that cannot be stored (NUL or half of a pair)"
    elif isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        yield tuple(path), "expected a finite number"


def _contradictions(definition: Definition) -> Iterator[tuple[Path, str]]:
    if not isinstance(definition, OrchestrationDocument):
        return
    seen: set[str] = set()
    for phase_index, phase in enumerate(definition.phases):
        for index, task in enumerate(phase.tasks):
            path: Path = ("phases", phase_index, "tasks", index)
            task_id = task.id or task.run
            if task_id in seen:
                yield (*path, "id" if task.id else "run"), duplicate_task(task_id)
            seen.add(task_id)
            if task.run == f"{ORCHESTRATOR}/{definition.orchestration}":
                yield (*path, "run"), "the orchestration would run itself"


def _complete(loaded: Loaded) -> Loaded:
    """Problems between documents."""
    first: dict[str, Document] = {}
    for document in loaded.documents:
        for name in identities(document.definition):
            if name in first:
                other = first[name]
                place = f" (also {other.file}, line {other.line})" if other.file else ""
                loaded.problems.append(
                    Problem(f"{name} is defined twice{place}", file=document.file, line=document.line)
                )
            first.setdefault(name, document)
    del loaded.problems[MAX_PROBLEMS:]
    del loaded.warnings[MAX_PROBLEMS:]
    return loaded

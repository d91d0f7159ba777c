"""What is wrong with definitions: every problem, with its place and the way out."""

import difflib
import types
import typing
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.validation import YAML, describe

Path = tuple[str | int, ...]

MAX_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where, and what to do."""

    message: str
    path: str = ""
    file: str | None = None
    line: int | None = None
    column: int | None = None
    position: int | None = None
    """Of a cron expression: the character, counted from 1."""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return ": ".join(part for part in (place, self.path, self.message) if part)


class DefinitionError(UserError):
    """Definitions cannot be used; `problems` has every reason."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def dotted(path: Iterable[str | int]) -> str:
    """`phases[0].tasks[1].run`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


class Wrong(NamedTuple):
    """What is wrong with a document, and where in it."""

    path: Path
    message: str
    position: int | None = None


def explain(error: ValidationError, model: type[BaseModel]) -> list[Wrong]:
    """Path and message of each error of a model; the input, which may hold secrets, is not shown."""
    return [
        Wrong(_path(item["loc"]), _message(item, model), item.get("ctx", {}).get("position"))
        for item in error.errors(include_url=False, include_input=False)
    ]


def _path(loc: tuple[int | str, ...]) -> Path:
    return tuple(part for part in loc if part != "[key]")


def _message(item: Any, model: type[BaseModel]) -> str:
    if item["type"] == "extra_forbidden":
        return unknown_key(str(item["loc"][-1]), allowed_keys(model, item["loc"][:-1]))
    return describe(item, YAML)


def unknown_key(key: str, allowed: Sequence[str]) -> str:
    """The message about an unknown key, with the one that was probably meant."""
    near = difflib.get_close_matches(key, allowed, n=1)
    if near:
        return f"unknown key; did you mean `{near[0]}`?"
    return f"unknown key; known are {', '.join(allowed)}" if allowed else "unknown key"


def allowed_keys(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """The keys that the model at a path of a document knows."""
    found: Any = model
    for part in path:
        if isinstance(part, str) and _is_model(found):
            field = next((f for n, f in found.model_fields.items() if part in (n, f.validation_alias)), None)
            found = field.annotation if field is not None else None
        else:
            found = _item_type(found)
        found = _without_none(found)
    if not _is_model(found):
        return []
    return [str(field.validation_alias or name) for name, field in found.model_fields.items()]


def _is_model(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, BaseModel)


def _item_type(found: Any) -> Any:
    arguments = typing.get_args(found)
    return (arguments[-1] if typing.get_origin(found) is dict else arguments[0]) if arguments else None


def _without_none(found: Any) -> Any:
    if isinstance(found, types.UnionType) or typing.get_origin(found) is typing.Union:
        return next((each for each in typing.get_args(found) if each is not type(None)), None)
    return found

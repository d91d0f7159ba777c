"""YAML as plain values with their positions: safe, bounded, and without the surprises of YAML 1.1."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import yaml

from orchestrator_shared.definitions.problems import Path, Problem, dotted

MAX_DEPTH = 60
MAX_VALUES = 200_000
MAX_CHARACTERS = 8 * 1024 * 1024
"""For all documents together, aliases expanded: a few lines of aliases could expand to billions."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,4299})")
_FLOAT = re.compile(
    r"[-+]?(?=\d*(\.|e))(\d{1,400}\.?\d{0,400}|\.\d{1,400})(e[-+]?\d{1,3})?", re.ASCII | re.IGNORECASE
)
_ESCAPE = re.compile(r"\\(?:u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|.)", re.IGNORECASE | re.DOTALL)
_WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}
_FREE_KEYS = frozenset({"parameters", "variables"})
"""Below these, only the components know whether a number or a string is wanted."""
_READ_AS = "{} is read as the number {}: put it in quotes if it is a string, such as a version"
_CORE = "tag:yaml.org,2002:"
_PLAIN_TAGS = {
    _CORE + name
    for name in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value", "map", "seq")
}


class TooLarge(Exception):
    """The document expands to more than is allowed."""


@dataclass(slots=True)
class Budget:
    """How many more values and characters may be read."""

    values: int = MAX_VALUES
    characters: int = MAX_CHARACTERS

    def spend(self, text: str) -> None:
        """Pay for one more value; raises TooLarge."""
        self.values -= 1
        self.characters -= len(text)
        if self.values < 0:
            raise TooLarge(f"more than {MAX_VALUES} values (aliases count as often as they are used)")
        if self.characters < 0:
            raise TooLarge(f"more than {MAX_CHARACTERS} characters (aliases count as often as they are used)")


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """One document: its value, and its nodes to find places in."""

    value: Any
    node: yaml.Node
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...] = ()
    """Numbers that may have been meant as strings."""

    def place(self, path: Path) -> tuple[int, int]:
        """Line and column, from 1, of what a path leads to, or of the last part of it that is there."""
        node = self.node
        mark = node.start_mark
        for part in path:
            child = _child(node, part)
            if child is None:
                break
            mark, node = child
        return mark.line + 1, mark.column + 1


def _child(node: yaml.Node, part: str | int) -> tuple[Any, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == str(part):
                return key.start_mark, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        item = node.value[part]
        return item.start_mark, item
    return None


def read_yaml(text: str, *, file: str, budget: Budget) -> tuple[list[YamlDocument], list[Problem]]:
    """Every document of a text; on a syntax error none, and the problem."""
    text = _without_pairs(text)
    try:
        _check_depth(text)
        nodes = [node for node in yaml.compose_all(text, Loader=_Loader) if node is not None]
        documents = [_Builder(file, budget).document(node) for node in nodes]
    except yaml.YAMLError as error:
        return [], [_syntax_problem(error, file)]
    except TooLarge as error:
        return [], [Problem(str(error), file=file)]
    return [each for each in documents if each.value is not None or each.problems], []


def _without_pairs(text: str) -> str:
    """JSON with each character in one that is written as two halves, which YAML does not know.

    Only in JSON is a backslash always an escape.
    """
    if "\\ud" not in text.lower() or text.lstrip("\ufeff \t\r\n")[:1] not in ("{", "["):
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    return _ESCAPE.sub(_whole, text)


def _whole(escape: re.Match[str]) -> str:
    if escape[1] is None:
        return escape[0]
    first, second = int(escape[1], 16), int(escape[2], 16)
    return f"\\U{0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00):08X}"


def _check_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise TooLarge(f"nested deeper than {MAX_DEPTH} levels")


def _syntax_problem(error: yaml.YAMLError, file: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    context = getattr(error, "context", None)
    message = f"not valid YAML: {reason}" + (f" ({context})" if context else "")
    if mark is None:
        return Problem(message, file=file)
    return Problem(message, file=file, line=mark.line + 1, column=mark.column + 1)


@dataclass(slots=True)
class _Builder:
    """Makes the value of one document from its nodes."""

    file: str
    budget: Budget
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def document(self, node: yaml.Node) -> YamlDocument:
        value = self._value(node, ())
        return YamlDocument(value, node, tuple(self.problems), tuple(self.warnings))

    def _value(self, node: yaml.Node, path: Path) -> Any:
        self.budget.spend(node.value if isinstance(node, yaml.ScalarNode) else "")
        if len(path) > MAX_DEPTH:
            raise TooLarge(f"nested deeper than {MAX_DEPTH} levels")
        if node.tag not in _PLAIN_TAGS:
            self._problem(f"the tag {node.tag!r} is not supported", node, path)
            return None
        if isinstance(node, yaml.MappingNode):
            return dict(self._items(node, path))
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
        value = _scalar(node)
        if _was_text(node.value, value) and _is_plain(node) and not _FREE_KEYS.isdisjoint(path):
            self.warnings.append(self._at(_READ_AS.format(node.value, value), node, path))
        return value

    def _items(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[str, Any]]:
        seen: set[str] = set()
        for key_node, value_node in node.value:
            key = _scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            self.budget.characters -= len(key_node.value)
            if key == "<<" and _is_plain(key_node):
                self._problem("merge keys (`<<`) are not supported: write the keys out", key_node, path)
            elif not isinstance(key, str):
                self._problem("keys must be strings: put it in quotes", key_node, path)
            elif key in seen:
                self._problem("duplicate key", key_node, (*path, key))
            else:
                seen.add(key)
                yield key, self._value(value_node, (*path, key))

    def _problem(self, message: str, node: yaml.Node, path: Path) -> None:
        self.problems.append(self._at(message, node, path))

    def _at(self, message: str, node: yaml.Node, path: Path) -> Problem:
        mark = node.start_mark
        return Problem(message, path=dotted(path), file=self.file, line=mark.line + 1, column=mark.column + 1)


def _was_text(text: str, value: Any) -> bool:
    """Whether a number may have been meant as it was written: the version 3.10 is 3.1 now, +420 is 420."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if "e" in text.lower():
        return False
    fraction = text.partition(".")[2]
    is_cut = len(fraction) > 1 and fraction.endswith("0")
    return text.startswith("+") or is_cut or (bool(fraction) and Decimal(text) != Decimal(repr(value)))


def _is_plain(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and not node.style  # the C loader says "", the other None


def _scalar(node: yaml.Node) -> Any:
    """As in YAML 1.2: `on`, `12:30` and `2026-11-21` are strings."""
    text: str = node.value
    return text if not _is_plain(node) or node.tag == _CORE + "str" else plain_value(text)


def plain_value(text: str) -> Any:
    """The value of a plain scalar; export adds quotes where it would not read back as the string."""
    if text.lower() in _WORDS and (text.islower() or text.istitle() or text.isupper() or not text.isalpha()):
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text

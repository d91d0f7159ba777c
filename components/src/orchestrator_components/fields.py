"""The parameters of a built-in, read field by field; all mistakes are collected and reported together.

Written by hand, because importing a validation library takes longer than most tasks run.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from orchestrator_components.contract import UserError

REQUIRED = "is missing"
NO_TEXT = "must be a string"
NO_UNICODE = "must be valid Unicode text"
NO_SWITCH = "must be true or false"
UNKNOWN = "is not a known parameter"

_SWITCH = dict.fromkeys(("0", "off", "f", "false", "n", "no"), False) | dict.fromkeys(
    ("1", "on", "t", "true", "y", "yes"), True
)

Value = TypeVar("Value")
Check = Callable[[Value], Value]


class Fields:
    """Each method reads one field; for an invalid one it records the problem and returns a placeholder.

    A `check` raises ValueError or returns the value to use. Call `require` last: it reports all problems.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given
        self._known: set[str] = set()
        self._problems: list[str] = []

    def text(
        self,
        name: str,
        default: str | None = None,
        *,
        alias: str | None = None,
        at_least: int = 0,
        at_most: int = 0,
        check: Check[str] | None = None,
    ) -> str:
        """A string, required unless it has a default. `alias`: an alternative name for the field."""
        self._known.add(name)
        if alias is not None:
            self._known.add(alias)
            name = alias if alias in self._given else name
        if name not in self._given:
            if default is None:
                self.refuse(REQUIRED, name)
            return default or ""
        value = self._text(self._given[name], name, at_least=at_least, at_most=at_most)
        return "" if value is None else self._checked(value, name, check, "")

    def optional_text(self, name: str, *, at_least: int = 0, check: Check[str] | None = None) -> str | None:
        """A string, or None if it is absent or null."""
        if self._given.get(name) is None:
            self._known.add(name)
            return None
        return self.text(name, at_least=at_least, check=check)

    def texts(
        self,
        name: str,
        default: Sequence[str] | None = None,
        *,
        at_least: int = 0,
        or_one: bool = False,
        check: Check[list[str]] | None = None,
    ) -> list[str]:
        """A list of strings; with `or_one`, a single string counts as a list of one."""
        self._known.add(name)
        if name not in self._given:
            if default is None:
                self.refuse(REQUIRED, name)
            return list(default or ())
        values = self._given[name]
        if or_one and isinstance(values, str):
            values = [values]
        if not isinstance(values, list):
            self.refuse("must be a list", name)
            return []
        found = [self._text(value, f"{name}.{index}") for index, value in enumerate(values)]
        texts = [text for text in found if text is not None]
        if len(texts) < len(found):
            return []
        if len(texts) < at_least:
            self.refuse(_too_few(at_least), name)
            return []
        return self._checked(texts, name, check, [])

    def choices(
        self,
        name: str,
        allowed: Sequence[str],
        *,
        at_most: int,
        check: Check[dict[str, str]] | None = None,
    ) -> dict[str, str]:
        """A mapping of at least one name, each with an allowed value."""
        self._known.add(name)
        if name not in self._given:
            self.refuse(REQUIRED, name)
            return {}
        values = self._given[name]
        if not isinstance(values, dict):
            self.refuse("must be an object", name)
            return {}
        before = len(self._problems)
        for key, value in values.items():
            if value not in allowed:
                self.refuse(_one_of(allowed), f"{name}.{key}")
        if len(self._problems) > before:
            return {}
        if not values:
            self.refuse(_too_few(1), name)
        elif len(values) > at_most:
            self.refuse(f"must have at most {at_most} entries", name)
        else:
            return self._checked(values, name, check, {})
        return {}

    def choice(self, name: str, allowed: Sequence[str], default: str) -> str:
        """One of the allowed strings."""
        self._known.add(name)
        value = self._given.get(name, default)
        if value in allowed:
            return str(value)
        self.refuse(_one_of(allowed), name)
        return default

    def switch(self, name: str, default: bool) -> bool:
        """True or false, including common spellings such as yes and off."""
        self._known.add(name)
        value = self._given.get(name, default)
        if isinstance(value, bool):
            return value
        if isinstance(value, str | int | float) and (known := _SWITCH.get(_plain(value))) is not None:
            return known
        self.refuse(NO_SWITCH, name)
        return default

    def refuse(self, problem: str, place: str) -> None:
        """Record a problem with one field, without the rejected value, which may be a secret."""
        self._problems.append(f"parameters.{place}: {problem}")

    def require(self) -> None:
        """Raise a UserError that names every invalid and every unknown field."""
        for name in self._given:
            if name not in self._known:
                self.refuse(UNKNOWN, name)
        if self._problems:
            raise UserError("; ".join(self._problems))

    def _text(self, value: object, place: str, *, at_least: int = 0, at_most: int = 0) -> str | None:
        if not isinstance(value, str):
            self.refuse(NO_TEXT, place)
        elif not _is_unicode(value):
            self.refuse(NO_UNICODE, place)
        elif len(value) < at_least:
            self.refuse(f"must have at least {_counted(at_least, 'character')}", place)
        elif at_most and len(value) > at_most:
            self.refuse(f"must have at most {_counted(at_most, 'character')}", place)
        else:
            return value
        return None

    def _checked(self, value: Value, name: str, check: Check[Value] | None, wrong: Value) -> Value:
        try:
            return value if check is None else check(value)
        except ValueError as problem:
            self.refuse(str(problem), name)
            return wrong


def _plain(value: str | float) -> str:
    return value.lower() if isinstance(value, str) else f"{value:g}"


def _is_unicode(text: str) -> bool:
    """False for a lone surrogate, which JSON can express."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _too_few(least: int) -> str:
    return f"must have at least {least} {'entry' if least == 1 else 'entries'}"


def _one_of(allowed: Sequence[str]) -> str:
    *others, last = map(repr, allowed)
    return f"must be {', '.join(others)} or {last}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"

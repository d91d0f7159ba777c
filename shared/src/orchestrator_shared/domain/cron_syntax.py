"""Reading the five fields of a cron expression: what is accepted, and refusals with reason and position."""

import re
from dataclasses import dataclass

from orchestrator_shared.domain.errors import UserError

MAX_LENGTH = 100
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WORD = re.compile(r"[^ \t]+")
_ITEM = re.compile(r"(?:(?P<star>\*)|(?P<low>\d+|[a-z]+)(?:-(?P<high>\d+|[a-z]+))?)(?:/(?P<step>\d+))?")
_SPECIAL = {
    "?": "`?` is not used here: write `*`",
    "#": "`#` (the n-th weekday of a month) is not supported",
    "~": "`~` (a random value) is not supported",
    "@": "words such as @daily are not supported: write five fields, as in `0 0 * * *`",
}
_LETTERS = {"L": "the last day", "W": "the nearest weekday", "R": "a random value", "H": "a hashed value"}


class CronError(UserError):
    """A cron expression is refused. `position` counts characters from 1; the detail repeats it for people."""

    def __init__(self, reason: str, *, position: int, field: str | None = None) -> None:
        super().__init__(reason, field=field)
        self.position = position


@dataclass(frozen=True, slots=True)
class FieldKind:
    """One of the five fields: its name, bounds and words."""

    number: int
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()

    @property
    def widest(self) -> int:
        """The largest value that may be written; 7 is a second name of Sunday."""
        return 7 if self.name == "day of week" else self.high


KINDS = (
    FieldKind(1, "minute", 0, 59),
    FieldKind(2, "hour", 0, 23),
    FieldKind(3, "day of month", 1, 31),
    FieldKind(4, "month", 1, 12, _MONTHS),
    FieldKind(5, "day of week", 0, 6, _DAYS),
)


@dataclass(frozen=True, slots=True)
class Field:
    """A field as written, and the values that it stands for."""

    kind: FieldKind
    text: str
    values: frozenset[int]

    @property
    def is_full(self) -> bool:
        return len(self.values) == self.kind.high - self.kind.low + 1

    @property
    def begins_with_star(self) -> bool:
        return self.text.startswith("*")

    @property
    def is_wildcard(self) -> bool:
        return "*" in self.text or "/" in self.text

    def canonical(self) -> str:
        """The same values without ranges, steps or names."""
        return "*" if self.is_full else ",".join(map(str, sorted(self.values)))


def parse_fields(text: str, *, field: str | None = None) -> tuple[Field, ...]:
    """Read an expression; raises CronError."""
    _check_characters(text, field)
    words = list(_WORD.finditer(text))
    if words and words[0][0].startswith("@"):
        raise CronError(_SPECIAL["@"], position=words[0].start() + 1, field=field)
    if len(words) != len(KINDS):
        extra = "; seconds and years are not supported" if len(words) > len(KINDS) else ""
        position = words[5].start() + 1 if len(words) > len(KINDS) else len(text) + 1
        raise CronError(
            f"expected five fields (minute, hour, day of month, month, day of week), "
            f"found {len(words)}{extra}",
            position=position,
            field=field,
        )
    return tuple(
        _Reader(kind, word.start(), field).read(word[0]) for kind, word in zip(KINDS, words, strict=True)
    )


def _check_characters(text: str, field: str | None) -> None:
    if len(text) > MAX_LENGTH:
        raise CronError(f"longer than {MAX_LENGTH} characters", position=MAX_LENGTH + 1, field=field)
    for index, character in enumerate(text):
        if not (character == "\t" or " " <= character <= "~"):
            raise CronError(
                f"character {index + 1} ({character!r}) is not plain ASCII", position=index + 1, field=field
            )


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one field that begins at `offset` of the expression."""

    kind: FieldKind
    offset: int
    error_field: str | None

    def read(self, text: str) -> Field:
        values: set[int] = set()
        at = 0
        for item in text.split(","):
            values |= self._item(item, at)
            at += len(item) + 1
        return Field(self.kind, text, frozenset(values))

    def _item(self, item: str, at: int) -> set[int]:
        match = _ITEM.fullmatch(item.lower())
        if match is None:
            raise self._malformed(item, at)
        if match["star"]:
            low, high = self.kind.low, self.kind.high
        else:
            low, high = self._range(match, item, at)
        if match["step"] is None:
            step = 1
        elif match["star"] or match["high"]:
            step = self._step(match["step"], at + match.start("step"))
        else:
            raise self._error(
                f"{item!r} has a step without a range: write {match['low']}-{self.kind.high}/{match['step']}",
                at,
            )
        return {self._value(number) for number in range(low, high + 1, step)}

    def _range(self, match: re.Match[str], item: str, at: int) -> tuple[int, int]:
        low = self._number(match["low"], at)
        if match["high"] is None:
            return low, low
        high = self._number(match["high"], at + match.start("high"))
        if high == 0 and self.kind.name == "day of week" and not match["high"].isdigit():
            high = 7  # fri-sun
        if low > high:
            raise self._error(
                f"the range {item!r} runs backwards: write {low}-{self.kind.high},{self.kind.low}-{high}", at
            )
        return low, high

    def _number(self, text: str, at: int) -> int:
        if text.isdigit():
            number = int(text[:6])
            if not self.kind.low <= number <= self.kind.widest or len(text) > 4:
                raise self._error(f"{text[:10]} is not between {self.kind.low} and {self.kind.widest}", at)
            return number
        if text in self.kind.words:
            return self.kind.words.index(text) + self.kind.low
        raise self._malformed(text, at)

    def _step(self, text: str, at: int) -> int:
        step, largest = int(text[:6]), self.kind.high - self.kind.low
        if step == 0:
            raise self._error("a step of 0 leads nowhere", at)
        if step > largest or len(text) > 4:
            raise self._error(f"the step {text[:10]} is larger than the field (at most {largest})", at)
        return step

    def _value(self, number: int) -> int:
        return 0 if self.kind.name == "day of week" and number == 7 else number

    def _malformed(self, item: str, at: int) -> CronError:
        if not item:
            return self._error("a value is missing beside a comma", at)
        for index, character in enumerate(item):
            if character in _SPECIAL:
                return self._error(_SPECIAL[character], at + index)
        for letter, meaning in _LETTERS.items():
            if re.fullmatch(
                rf"{letter}|{letter}W|\d*{letter}|{letter}\(.*\)|{letter}/\d+|{letter}-\d+", item.upper()
            ):
                return self._error(f"`{letter}` ({meaning}) is not supported", at)
        names = f"; names here are {', '.join(self.kind.words)}" if self.kind.words else ""
        return self._error(f"{item!r} is no value, range or step{names}", at)

    def _error(self, reason: str, at: int) -> CronError:
        position = self.offset + at + 1
        return CronError(
            f"{self.kind.name} (field {self.kind.number}, character {position}): {reason}",
            position=position,
            field=self.error_field,
        )

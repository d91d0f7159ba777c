"""Reading the five fields of a cron expression: what is accepted, and refusals with reason and position."""

import re
from dataclasses import dataclass

from orchestrator_shared.domain.cron_words import EVERY, SPECIAL, Misreading, misread
from orchestrator_shared.domain.errors import UserError

MAX_LENGTH = 100
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WORD = re.compile(r"[^ \t]+")
_ITEM = re.compile(r"(?:(?P<star>\*)|(?P<low>\d+|[a-z]+)(?:-(?P<high>\d+|[a-z]+))?)(?:/(?P<step>\d+))?")
_UNIT_SECONDS = {"m": 60, "h": 3_600, "d": 86_400}
_LONGEST_SECONDS = 366 * 86_400
_JUST_BEYOND = {("hour", "24"): "for midnight write 0", ("minute", "60"): "for the full hour write 0"}
_LETTERS = {"L": "the last day", "W": "the nearest weekday", "R": "a random value", "H": "a hashed value"}


class CronError(UserError):
    """A cron expression is refused. `position` counts characters from 1; the detail repeats it for people."""

    def __init__(
        self, reason: str, *, position: int, field: str | None = None, way_out: str | None = None
    ) -> None:
        super().__init__(reason, field=field)
        self.position = position
        self.way_out = way_out
        """What to write instead of the whole expression, or `every: ` and an interval; accepted as it stands
        unless something else is wrong, too."""


@dataclass(frozen=True, slots=True)
class FieldKind:
    """One of the five fields: its name, bounds and words."""

    number: int
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many values there are, and so the largest step."""
        return self.high - self.low + 1

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
        return len(self.values) == self.kind.size

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
    if (refused := misread(text, words)) is not None:
        raise _refuse(refused, field)
    return tuple(
        _Reader(kind, text, word.start(), field).read(word[0])
        for kind, word in zip(KINDS, words, strict=True)
    )


def _refuse(refused: Misreading, field: str | None) -> CronError:
    reason, way_out = refused.reason, refused.way_out
    if way_out is not None:
        try:
            parse_fields(way_out)
            reason += f": write `{way_out}`"
        except CronError:
            way_out = None
    return CronError(reason, position=refused.position, field=field, way_out=way_out)


def _check_characters(text: str, field: str | None) -> None:
    if len(text) > MAX_LENGTH:
        reason = f"longer than {MAX_LENGTH} characters: write ranges and steps, or several schedules"
        raise CronError(reason, position=MAX_LENGTH + 1, field=field)
    for index, character in enumerate(text):
        if not (character == "\t" or " " <= character <= "~"):
            reason = f"character {index + 1} ({character!r}) is not plain ASCII"
            raise CronError(reason, position=index + 1, field=field)


@dataclass(frozen=True, slots=True)
class _Change:
    """An item of a field, `at` so many characters into it, and what may be written instead."""

    at: int
    item: str
    instead: str


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one field that begins at `offset` of the expression."""

    kind: FieldKind
    expression: str
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
        step = 1 if match["step"] is None else self._step(match, item, at)
        if match["star"]:
            low, high = self.kind.low, self.kind.high
        else:
            low, high = self._range(match, item, at, step)
        if match["step"] is not None and not (match["star"] or match["high"]):
            span = _span(self._value(low), self.kind.high)
            instead = f"{span}/{step}" if "-" in span else span
            raise self._error(f"{item!r} has a step without a range", at, _Change(at, item, instead))
        return {self._value(number) for number in range(low, high + 1, step)}

    def _range(self, match: re.Match[str], item: str, at: int, step: int) -> tuple[int, int]:
        low = self._number(match["low"], at)
        if match["high"] is None:
            return low, low
        high = self._number(match["high"], at + match.start("high"))
        if high == 0 < low and self.kind.name == "day of week" and not match["high"].isdigit():
            high = 7  # fri-sun
        if low > high:
            instead = self._wrapped(self._value(low), high, step)
            raise self._error(f"the range {item!r} runs backwards", at, _Change(at, item, instead))
        return low, high

    def _wrapped(self, low: int, high: int, step: int) -> str:
        """What a range across the end of the field stands for."""
        if low <= high:  # 7-1 of the days of the week: from Sunday
            return _span(low, high) + (f"/{step}" if step > 1 and low < high else "")
        if step == 1:
            return f"{_span(low, self.kind.high)},{_span(self.kind.low, high)}"
        numbers = range(low - self.kind.low, high - self.kind.low + self.kind.size + 1, step)
        return ",".join(str(number % self.kind.size + self.kind.low) for number in numbers)

    def _number(self, text: str, at: int) -> int:
        if text.isdigit():
            number = int(text[:6])
            if not self.kind.low <= number <= self.kind.widest or len(text) > 4:
                raise self._error(self._beyond(text[:10]), at)
            return number
        if text in self.kind.words:
            return self.kind.words.index(text) + self.kind.low
        raise self._malformed(text, at)

    def _beyond(self, text: str) -> str:
        plural = (
            self.kind.name.replace("day of ", "days of the ")
            if " " in self.kind.name
            else f"{self.kind.name}s"
        )
        said = f"{plural} go from {self.kind.low} to {self.kind.widest}, you wrote {text}"
        instead = _JUST_BEYOND.get((self.kind.name, text))
        return f"{said}; {instead}" if instead else said

    def _step(self, match: re.Match[str], item: str, at: int) -> int:
        text, place = match["step"], at + match.start("step")
        step = int(text[:6])
        if step == 0:
            raise self._error("a step of 0 leads nowhere", place)
        if step > self.kind.size or len(text) > 4:
            reason = f"the step {text[:10]} is larger than the field (at most {self.kind.size})"
            if len(text) <= 4 and (every := self._interval(step)):
                raise self._error(f"{reason}: use `{every}` instead of cron", place, way_out=every)
            raise self._error(reason, place, _Change(at, item, match["low"] or str(self.kind.low)))
        return step

    def _interval(self, step: int) -> str | None:
        """The interval that a step beyond the field was to say, if the other fields leave it alone."""
        words = self.expression.split()
        fixed, free = words[: self.kind.number - 1], words[self.kind.number :]
        unit = {1: "m", 2: "h", 3: "d", 5: "d"}.get(self.kind.number)
        if self.kind.number == 5:
            fixed, free = fixed[:2], fixed[2:]
        if unit is None or any(word != "*" for word in free) or not all(word.isdigit() for word in fixed):
            return None
        return EVERY + f"{step}{unit}" if step * _UNIT_SECONDS[unit] <= _LONGEST_SECONDS else None

    def _value(self, number: int) -> int:
        return 0 if self.kind.name == "day of week" and number == 7 else number

    def _malformed(self, item: str, at: int) -> CronError:
        if not item:
            return self._error("a value is missing beside a comma", at)
        for index, character in enumerate(item):
            if character in SPECIAL:
                change = _Change(at, item, item.replace("?", "*")) if character == "?" else None
                return self._error(SPECIAL[character], at + index, change)
        for letter, meaning in _LETTERS.items():
            if re.fullmatch(
                rf"{letter}|{letter}W|\d*{letter}|{letter}\(.*\)|{letter}/\d+|{letter}-\d+", item.upper()
            ):
                return self._error(f"`{letter}` ({meaning}) is not supported", at)
        names = f"; names here are {', '.join(self.kind.words)}" if self.kind.words else ""
        return self._error(f"{item!r} is not a value, range or step{names}", at)

    def _error(
        self, reason: str, at: int, change: "_Change | None" = None, *, way_out: str | None = None
    ) -> CronError:
        """The change makes the way out if what it writes is accepted there."""
        position = self.offset + at + 1
        if change is not None and self._accepts(change.instead):
            reason += f": write {change.instead}"
            start = self.offset + change.at
            rest = self.expression[start + len(change.item) :]
            longer = self.expression[:start] + change.instead + rest
            way_out = longer if len(longer) <= MAX_LENGTH else None
        return CronError(
            f"{self.kind.name} (field {self.kind.number}, character {position}): {reason}",
            position=position,
            field=self.error_field,
            way_out=way_out,
        )

    def _accepts(self, text: str) -> bool:
        try:
            _Reader(self.kind, text, 0, None).read(text)
        except CronError:
            return False
        return True


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"

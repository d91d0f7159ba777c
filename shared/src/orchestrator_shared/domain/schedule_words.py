"""A schedule in plain English: `Mondays to Fridays at 06:00 and 18:00`. The time zone is named apart.

The words follow from the values that the fields stand for, never from how they are written, so they are true
of `*/45` (fires at :00 and :45), of `0 */5 * * *` and of either rule for two day fields.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

from orchestrator_shared.domain.cron import Cron, Every, Schedule
from orchestrator_shared.domain.cron_syntax import CronError, Field, parse_fields

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_MAX_TIMES = 6
"""As many times of a day are listed one by one where an interval says the same."""
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


@lru_cache(maxsize=4096)
def words_of(cron: str | None, every_seconds: int | None) -> str | None:
    """The words of a stored schedule; None for an expression that is no longer accepted."""
    if cron is None:
        return None if every_seconds is None else _every(every_seconds)
    try:
        return _cron(Cron(cron, parse_fields(cron)))
    except CronError:
        return None


def in_words(schedule: Schedule) -> str:
    """The times of a schedule as one phrase, beginning with a capital letter."""
    return _every(schedule.seconds) if isinstance(schedule, Every) else _cron(schedule)


def _every(seconds: int) -> str:
    days, hours = divmod(seconds, 86_400)
    if hours == 0 and days > 1:
        return f"Every {days} days"
    for unit, size in _UNITS[1:3]:
        count, rest = divmod(seconds, size)
        if rest == 0 and 0 < count < 100:
            return f"Every {unit}" if count == 1 else f"Every {count} {unit}s"
    parts = []
    for unit, size in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return f"Every {joined(parts)}"


def _cron(cron: Cron) -> str:
    minute, hour, *_ = cron.fields
    minutes, hours = sorted(minute.values), sorted(hour.values)
    days = _days(cron)
    if len(minutes) == 1:
        interval = _hourly(minutes[0], hours, listed=cron.is_fixed and len(hours) <= _MAX_TIMES)
    else:
        interval = _several_an_hour(minutes, hours)
    if interval is not None:
        return f"Every {interval}" if days is None else f"Every {interval}, {days}"
    begin = days or "every day"
    times = joined([f"{h:02}:{m:02}" for h in hours for m in minutes])
    return f"{begin[0].upper()}{begin[1:]} at {times}"


def _several_an_hour(minutes: Sequence[int], hours: Sequence[int]) -> str | None:
    """What follows "every" if the times of a day are too many to list; None: list them."""
    step = _common_step(minutes)
    is_steady = step is not None and minutes[-1] + step - minutes[0] == 60
    runs = _runs(hours)
    if len(minutes) * len(hours) <= _MAX_TIMES and not (is_steady and len(minutes) > 2 and len(runs) == 1):
        return None
    low, high = minutes[0], minutes[-1]
    windows = joined([f"from {run[0]:02}:{low:02} to {run[-1]:02}:{high:02}" for run in runs])
    each = "minute" if step == 1 else f"{step} minutes"
    if is_steady and len(hours) < 24:
        return f"{each} {windows}"
    if is_steady:
        return each if low == 0 else f"{each} from :{low:02}"
    if step is not None and len(minutes) > _MAX_TIMES:
        written = f"{each} from :{low:02} to :{high:02} of each hour"
    else:
        written = f"hour at {joined([f':{each:02}' for each in minutes])}"
    return written if len(hours) == 24 else f"{written}, {windows}"


def _hourly(minute: int, hours: Sequence[int], *, listed: bool) -> str | None:
    """What follows "every" for times at the same minute of several hours; None: list them."""
    if len(hours) == 24:
        return "hour" if minute == 0 else f"hour at :{minute:02}"
    step = _common_step(hours)
    if listed or step is None or len(hours) < 3:
        return None
    each, first = "hour" if step == 1 else f"{step} hours", f"{hours[0]:02}:{minute:02}"
    if hours[-1] + step - hours[0] == 24:
        return each if first == "00:00" else f"{each} from {first}"
    if step > 1 and len(hours) <= _MAX_TIMES:
        return None
    return f"{each} from {first} to {hours[-1]:02}:{minute:02}"


def _common_step(values: Sequence[int]) -> int | None:
    steps = {after - before for before, after in pairwise(values)}
    return steps.pop() if len(steps) == 1 else None


def _days(cron: Cron) -> str | None:
    """On which days, in lower case unless it begins with a name; None: on every day of the year."""
    _, _, day, month, weekday = cron.fields
    months = None if month.is_full else sorted(month.values)
    either = not (day.begins_with_star or weekday.begins_with_star)
    if (day.is_full and weekday.is_full) or (either and (day.is_full or weekday.is_full)):
        return None if months is None else f"every day{_in(months)}"
    if weekday.is_full:
        return _dates(day, months)
    if day.is_full:
        return _weekdays(weekday) + _in(months)
    if not either:
        return f"{_weekdays(weekday)} that fall {_dates(day, months)}"
    return f"{_dates(day, months)} and on {_weekdays(weekday)}{_in(months)}"


def _in(months: Sequence[int] | None) -> str:
    if months is None:
        return ""
    spans = _spans(months, _month)
    return f" {'from' if len(spans) == 1 and len(months) > 2 else 'in'} {joined(spans)}"


def _month(number: int) -> str:
    return _MONTHS[number - 1]


def _dates(day: Field, months: Sequence[int] | None) -> str:
    days = sorted(day.values)
    of = "every month" if months is None else joined(_spans(months, _month))
    step = _common_step(days)
    if step is not None and step > 1 and len(days) > 4:
        return (
            f"on every {_ordinal(step)} day from the {_ordinal(days[0])} to the {_ordinal(days[-1])} of {of}"
        )
    written = joined(_spans(days, _ordinal))
    if months is None and days[0] > 28 and len(days) == 1:
        of += " that has one"
    return f"on the {written} of {of}"


def weekdays_in_words(numbers: Collection[int]) -> str:
    """Days of the week, Monday being 0: `every day`, `weekdays`, `Mondays and Fridays`."""
    days = sorted(numbers)
    if len(days) in (0, len(_WEEKDAYS)):
        return "every day"
    return "weekdays" if days == [0, 1, 2, 3, 4] else joined(_spans(days, lambda each: f"{_WEEKDAYS[each]}s"))


def _weekdays(weekday: Field) -> str:
    numbers = sorted((each - 1) % 7 for each in weekday.values)
    return joined(_spans(numbers, lambda each: f"{_WEEKDAYS[each]}s"))


def _spans(values: Sequence[int], name: Callable[[int], str]) -> list[str]:
    """Each value by its name, and three or more in a row as `first to last`."""
    spans: list[str] = []
    for run in _runs(values):
        if len(run) > 2:
            spans.append(f"{name(run[0])} to {name(run[-1])}")
        else:
            spans.extend(name(each) for each in run)
    return spans


def _runs(values: Iterable[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return runs


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def joined(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"

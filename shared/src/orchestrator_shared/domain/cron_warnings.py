"""What a cron expression that is accepted may not mean as it looks."""

import re
from collections.abc import Sequence

from orchestrator_shared.domain.cron_syntax import Field

_STEP = re.compile(r"(?:\*|(?P<low>\d+)-(?P<high>\d+))/(?P<step>\d+)", re.ASCII)
_STEADY = {"minute": ("m", "hour"), "hour": ("h", "day")}


def warning_of(fields: Sequence[Field]) -> str | None:
    """The first step that is no steady interval, or that leaves one value."""
    for field in fields:
        match = _STEP.fullmatch(field.text)
        if match is None:
            continue
        step = int(match["step"])
        if step == field.kind.size and len(field.values) == 1:
            return f"`{field.text}` means {field.kind.name} {min(field.values)} alone"
        if field.kind.name in _STEADY and _looks_steady(match, field) and field.kind.size % step:
            return _uneven(field, step, fields)
    return None


def _looks_steady(match: re.Match[str], field: Field) -> bool:
    """It goes to the field's end and begins within the first step."""
    if match["low"] is None:
        return True
    return int(match["high"]) == field.kind.high and int(match["low"]) < int(match["step"])


def _uneven(field: Field, step: int, fields: Sequence[Field]) -> str:
    unit, period = _STEADY[field.kind.name]
    values = ", ".join(f":{value:02}" if unit == "m" else f"{value}:00" for value in sorted(field.values))
    others = [each for each in fields if each.kind.number > field.kind.number]
    uneven = f"which is not a steady interval of {step}{unit}"
    if not all(each.text == "*" for each in others):
        return f"`{field.text}` fires at {values}, {uneven}"
    before = fields[: field.kind.number - 1]
    advice = f": use `every: {step}{unit}` for that" if all(len(each.values) == 1 for each in before) else ""
    return f"`{field.text}` fires at {values} of every {period}, {uneven}{advice}"

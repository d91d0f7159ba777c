"""Refusals name options instead of the fields of the request that they became."""

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator_cli.failures import CommandFailure

_UNITS = ("", "s", "_at", "_seconds")
"""What a field may have behind the name of its option: `scopes`, `expires_at`, `longer_than_seconds`."""


def name_options(failure: CommandFailure, parameters: Sequence[Any]) -> None:
    """Change the texts of a refusal: `status.0: …` becomes `--status: …` in a command with this option."""
    names = _names(parameters)
    for field in sorted(failure.fields, key=len, reverse=True):
        if name := _option_of(field, names):
            failure.text = failure.text.replace(f"{field}: ", f"{name}: ")
            failure.details = [_renamed(line, field, name) for line in failure.details]


def _renamed(line: str, field: str, name: str) -> str:
    return name + line.removeprefix(field) if line.startswith(f"{field}: ") else line


def _names(parameters: Sequence[Any]) -> dict[str, str]:
    """What people write, by its name in code; options take precedence over arguments."""
    arguments = {each.name: each.name.upper() for each in parameters if each.param_type_name == "argument"}
    options = [option for each in parameters for option in each.opts if option.startswith("--")]
    return arguments | {option.removeprefix("--").replace("-", "_"): option for option in options}


def _option_of(field: str, names: Mapping[str, str]) -> str | None:
    parts = [part for part in field.split(".") if not part.isdigit()]
    if parts[:1] == ["schedule"]:
        parts = parts[1:] or parts
    if len(parts) != 1:
        return None
    shortened = (parts[0].removesuffix(unit) for unit in _UNITS)
    return next((names[each] for each in shortened if each in names), None)

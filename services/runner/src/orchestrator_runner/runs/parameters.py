"""The parameters a job runs with: merged from three places, with variables filled in."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from orchestrator_shared.definitions.placeholders import PLACEHOLDER, has_placeholder
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.merging import deep_merge as deep_merge


def substitute(value: Any, names: Mapping[str, str], *, path: str = "parameters") -> Any:
    """Replace `{{ name }}` in every string: plain substitution, no expressions.

    `names` contains `scheduled_for` and `vars.<name>`. Raises UserError that names the parameter and the
    unknown name.
    """
    if isinstance(value, str):
        return _substitute_text(value, names, path)
    if isinstance(value, Mapping):
        return {key: substitute(item, names, path=f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [substitute(item, names, path=f"{path}[{index}]") for index, item in enumerate(value)]
    return value


def _substitute_text(text: str, names: Mapping[str, str], path: str) -> str:
    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if name not in names:
            raise UserError(
                f"{{{{ {name} }}}} is not known here: set the project variable, or use scheduled_for",
                field=path,
            )
        return names[name]

    return PLACEHOLDER.sub(replace, text)


def may_use_variables(value: Any) -> bool:
    """Whether there may be a placeholder before decryption: a value under a `#` key may hide one."""
    if isinstance(value, Mapping):
        return any(key.startswith("#") or may_use_variables(item) for key, item in value.items())
    if isinstance(value, list):
        return any(may_use_variables(item) for item in value)
    return has_placeholder(value)


def number_forms(value: float) -> set[str]:
    """The forms in which programs print a number: 1.5e3 is also 1500.0, and 1500 if it is whole."""
    texts = {json.dumps(value), str(value)}
    if isinstance(value, float) and math.isfinite(value):
        texts |= {format(value, "f"), *([str(int(value))] if value.is_integer() else [])}
    return texts


def secret_values(value: Any, *, secret: bool = False) -> set[str]:
    """Every string and number below a key that begins with `#`: these must never appear in a log."""
    if isinstance(value, str):
        return {value} if secret and value else set()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_forms(value) if secret else set()
    if isinstance(value, Mapping):
        return {
            found
            for key, item in value.items()
            for found in secret_values(item, secret=secret or key.startswith("#"))
        }
    if isinstance(value, list):
        return {found for item in value for found in secret_values(item, secret=secret)}
    return set()

"""Bounds that hold alike wherever a definition comes from: over HTTP, as YAML, and in the database."""

from orchestrator_shared.domain.durations import MAX_SECONDS

MAX_COOL_DOWN_SECONDS = MAX_CATCH_UP_SECONDS = MAX_SECONDS
MAX_TABLES = 1_000
"""Of one trigger."""
MAX_VARIABLE_CHARACTERS = 65_536
MAX_PARAMETERS_DEPTH = 50
"""Levels in parameters. A document around them adds a few, and YAML is read to 60."""


def is_deeper(value: object, levels: int) -> bool:
    """Whether objects and lists are nested deeper than this; looks at each level once, without recursion."""
    layer: list[object] = [value]
    for _ in range(levels + 1):
        layer = [item for each in layer if isinstance(each, dict | list) for item in _items(each)]
        if not layer:
            return False
    return any(isinstance(each, dict | list) for each in layer)


def _items(value: dict[str, object] | list[object]) -> list[object]:
    return list(value.values()) if isinstance(value, dict) else value

"""What the form of a trigger means. Pure."""

from collections.abc import Mapping
from typing import Any

from orchestrator_api.triggers.rows import TriggerSpec
from orchestrator_api.web.pages import Fields
from orchestrator_shared.domain.durations import format_duration, parse_duration
from orchestrator_shared.domain.errors import UserError

TABLE = "table:"
"""Begins the name of the field of each table that is ticked."""
PLACES = {"cool_down_seconds": "cool_down", "allow_self_trigger": "tables"}
"""The field of the form of each field of the API that is called differently there."""
NEW: Mapping[str, str] = {"cool_down": "0", "mode": "ignore"}


def of_trigger(spec: TriggerSpec) -> Fields:
    """The form as it shows a saved trigger."""
    fields = Fields({f"{TABLE}{table}": "true" for table in spec.tables})
    cool_down = format_duration(spec.cool_down_seconds) if spec.cool_down_seconds else "0"
    return Fields(fields | {"cool_down": cool_down, "mode": spec.mode})


def tables_of(fields: Fields) -> list[str]:
    """Those that are ticked."""
    return [name.removeprefix(TABLE) for name in fields if name.startswith(TABLE)]


def cool_down_of(fields: Fields) -> int:
    """In seconds; raises UserError at the field."""
    return parse_duration(fields["cool_down"].strip() or "0", field="cool_down")


def has_cool_down(fields: Fields) -> bool:
    """Whether there is one; what is not understood is none."""
    try:
        return cool_down_of(fields) > 0
    except UserError:
        return False


def body_of(fields: Fields) -> dict[str, Any]:
    """The trigger as the API takes it, apart from what its form leaves as it is."""
    return {
        "tables": tables_of(fields),
        "cool_down_seconds": cool_down_of(fields),
        "mode": fields["mode"],
        "enabled": fields["enabled"] != "false",
        "allow_self_trigger": fields["allow_self_trigger"] == "true",
    }

"""What the form of a new token asks for: a preset, or scopes of one's own, and how long it lasts. Pure."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from orchestrator_api.access.permissions import Scope
from orchestrator_api.web.pages import Fields
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR

ONLY_STARTS, CUSTOM = "run", "custom"
SCOPES = (Scope.READ, Scope.CONFIGURE, Scope.RUN, Scope.PUBLISH)
LIFETIMES = (
    ("30", "30 days"),
    ("90", "90 days"),
    ("365", "A year"),
    ("day", "Until a day…"),
    ("never", "No end date"),
)
USUAL_LIFETIME = "90"
START = "start/"
"""How the names of the fields begin that choose an orchestration."""


def body_of(fields: Fields, now: datetime, zone: ZoneInfo) -> dict[str, object]:
    """The body that the API would get; raises UserError where the form alone can tell what is wrong."""
    given: dict[str, object] = {
        "name": fields["name"].strip(),
        "description": fields["description"].strip(),
        "expires_at": expiry(fields, now, zone),
    }
    if fields["preset"] != CUSTOM:
        return given | {"scopes": [Scope.RUN.value], "components": _chosen(fields)}
    scopes = [scope.value for scope in SCOPES if fields[scope.value] == "true"]
    if not scopes:
        raise UserError("choose at least one thing that it may do", field="scopes")
    buckets = fields["buckets"].split() if Scope.PUBLISH in scopes else []
    return given | {"scopes": scopes, "components": fields["components"].split(), "buckets": buckets}


def _chosen(fields: Fields) -> list[str]:
    """None listed stands for every orchestration, also those that are made later."""
    if fields["which"] == "all":
        return []
    chosen = [name.removeprefix(START) for name in fields if name.startswith(START)]
    if not chosen:
        raise UserError("choose at least one orchestration, or every one", field="which")
    return [f"{ORCHESTRATOR}/{name}" for name in chosen]


def expiry(fields: Fields, now: datetime, zone: ZoneInfo) -> datetime | None:
    """When it ends; a day counts to its end, in the zone of the viewer."""
    lasts = fields["lasts"]
    if lasts == "never":
        return None
    if lasts != "day":
        known = [value for value, _ in LIFETIMES]
        days = int(lasts) if lasts in known else int(USUAL_LIFETIME)
        return (now + timedelta(days=days)).replace(microsecond=0)
    try:
        day = date.fromisoformat(fields["until"])
    except ValueError:
        raise UserError("write a day, such as 2027-06-30", field="until") from None
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)


def places(fields: Fields) -> dict[str, str]:
    """At which field of the form an error of the API stands."""
    listed = "components" if fields["preset"] == CUSTOM else "which"
    return {"expires_at": "until" if fields["lasts"] == "day" else "lasts", "components": listed}

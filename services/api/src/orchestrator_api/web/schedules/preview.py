"""What a schedule would do, shown beside its form while someone writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import orchestration_key
from orchestrator_api.http.session import Session
from orchestrator_api.notifications import service as notifications
from orchestrator_api.runs import jobs
from orchestrator_api.schedules.models import TimesIn
from orchestrator_api.schedules.times import accept_times, preview
from orchestrator_api.web import entering, forms, pages
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.schedules import form, words
from orchestrator_api.web.schedules.words import ChangeRow, FireRow
from orchestrator_api.web.viewer import viewer_of
from orchestrator_shared.domain.cron_syntax import CronError
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.zone_data import zone_names
from orchestrator_shared.domain.zones import parse_zone

MOST_ZONES = 12


@dataclass(frozen=True, slots=True)
class Around:
    """What is known of the orchestration that a schedule belongs to."""

    name: str
    usual: float | None
    """How long its runs take, in seconds."""
    is_tried: bool
    """Whether a run of it has ended."""
    is_heard: bool
    """Whether anyone is notified of errors."""


@dataclass(frozen=True, slots=True)
class Previewed:
    """What the times mean; without `fires` they cannot be read yet."""

    zone: ZoneInfo
    other: ZoneInfo | None
    said: str = ""
    fires: Sequence[FireRow] = ()
    changes: Sequence[ChangeRow] = ()
    uneven: str | None = None
    """Why it is not the interval that it looks like."""
    takes_longer: str | None = None
    offered: str | None = None
    """What to write instead, as `every: 45m`."""

    @property
    def differ(self) -> int:
        """At how many of the clock changes something is not as usual."""
        return sum(each.icon is not None for each in self.changes)


async def around(session: Session, orchestration: str) -> Around:
    """Reads it; raises NotFound for one that is not there."""
    row = await configurations.current(session, orchestration_key(orchestration))
    usual = await jobs.usual_durations(session, [(ORCHESTRATOR, orchestration)])
    heard = await notifications.listing(session, [orchestration])
    return Around(
        row.name,
        usual.get((ORCHESTRATOR, orchestration)),
        await jobs.has_finished_run(session, orchestration),
        any(each.event == "error" for each in heard),
    )


async def previewed(
    session: Session, fields: Fields, own: ZoneInfo, usual: float | None
) -> tuple[Previewed, Fields]:
    """What the form means, and what is wrong, by field."""
    try:
        given = forms.checked(TimesIn, form.times_of(fields))
        times = accept_times(given.cron, given.every_seconds, given.timezone)
    except UserError as error:
        offered = error.way_out if isinstance(error, CronError) else None
        return Previewed(own, None, offered=offered), forms.refused(error, form.PLACES)
    zone = parse_zone(given.timezone)
    other = words.second_zone(zone, own)
    found = await session.offload.run(preview, times, session.now)
    return Previewed(
        zone,
        other,
        said=f"{found.words}. {words.follows(times.schedule)}",
        fires=words.fire_rows(found.fires, zone, other),
        changes=words.change_rows(found.clock_changes, zone, other),
        uneven=found.warning,
        takes_longer=words.takes_longer(usual, found.fires, fields["overlap"]),
        offered=form.offered_by(found.warning),
    ), Fields()


async def show(request: Request) -> Response:
    """The parts of the form that follow what is written in it; those where someone writes stay."""
    fields = await entering.sent(request)
    orchestration = request.path_params["orchestration"]
    async with entering.changing(request, fields, Scope.READ) as (session, frame):
        about = await around(session, orchestration)
        shown, errors = await previewed(session, fields, viewer_of(request).zone, about.usual)
    is_typed = form.is_typed(fields)
    return pages.page(
        request,
        "schedules/preview",
        frame=frame,
        orchestration=orchestration,
        shown=shown,
        errors=errors,
        values=form.followed(fields, is_good="cron" not in errors),
        is_typed=is_typed,
        about=about,
        zones=zones_like(fields["timezone"]) if fields["zone"] == form.OTHER else [],
        **choices(viewer_of(request).zone),
    )


def choices(own: ZoneInfo) -> dict[str, Any]:
    """What the form lets one choose."""
    return {
        "often": form.choices(),
        "weekdays": form.WEEKDAYS,
        "overlaps": words.OVERLAPS,
        "misfires": words.MISFIRES,
        "own_zone": own.key,
        "overlap_said": words.overlap_said,
        "misfire_said": words.misfire_said,
    }


def zones_like(text: str) -> list[str]:
    """Names with this text in them: at first those that begin with it, or whose place does."""
    wanted = text.strip().lower().replace(" ", "_")
    found = [name for name in zone_names() if wanted in name.lower()]
    begins = {name: wanted and name.lower().rpartition("/")[2].startswith(wanted) for name in found}
    return sorted(found, key=lambda name: (not begins[name], name))[:MOST_ZONES]

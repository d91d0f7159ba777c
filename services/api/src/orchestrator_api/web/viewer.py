"""How the viewer of a page wants to see it: the zone of times, and light or dark."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.web import words
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.zones import parse_zone

ZONE_COOKIE, THEME_COOKIE = "orchestrator_zone", "orchestrator_theme"
"""Neither is a secret; `static/js/time.js` sets the zone of a browser that has none."""
THEMES = ("light", "dark")
A_YEAR_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Viewer:
    """What templates ask about times."""

    now: datetime
    zone: ZoneInfo
    theme: str | None
    """None for that of the system."""
    has_zone: bool

    @property
    def clock(self) -> str:
        """`07:14 Prague`."""
        return f"{self.now.astimezone(self.zone):%H:%M} {words.zone_name(self.zone)}"

    def relative(self, at: datetime) -> str:
        """`26 min ago`, `Tue 05:30`."""
        return words.relative(at, self.now, self.zone)

    def at(self, at: datetime) -> str:
        """`Thu 26 Nov 06:51`."""
        return words.day_and_time(at, self.now, self.zone)

    def exact(self, at: datetime) -> str:
        """`05:36:52.874`, for lines of a log."""
        return f"{at.astimezone(self.zone):%H:%M:%S.%f}"[:-3]

    def is_near(self, at: datetime) -> bool:
        """Whether `relative` says how long it is, and not the day."""
        return abs((at - self.now).total_seconds()) < words.DAY

    def since(self, at: datetime) -> str:
        """How long ago: `26 min`."""
        return words.passed((self.now - at).total_seconds())


def viewer_of(request: Request) -> Viewer:
    """From the cookies of the browser."""
    zone = _zone(request.cookies.get(ZONE_COOKIE))
    theme = request.cookies.get(THEME_COOKIE)
    now = request.app.state.sessions.clock.now()
    return Viewer(now, zone or ZoneInfo("UTC"), theme if theme in THEMES else None, zone is not None)


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return parse_zone(name.replace("%2F", "/")) if name else None
    except UserError:
        return None


def keep_theme(response: Response, theme: str) -> None:
    """Until another one is chosen; anything but light and dark means that of the system."""
    kept, seconds = (theme, A_YEAR_SECONDS) if theme in THEMES else ("", 0)
    response.set_cookie(THEME_COOKIE, kept, max_age=seconds, httponly=True, samesite="lax")


def keep_zone(response: Response, zone: ZoneInfo) -> None:
    """Until another one is chosen."""
    response.set_cookie(ZONE_COOKIE, zone.key, max_age=A_YEAR_SECONDS, samesite="lax")

"""How the viewer of a page wants to see it: as their account says, and otherwise as the browser does."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.people.rows import Preferences
from orchestrator_api.web import words
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.zones import parse_zone

ZONE_COOKIE, THEME_COOKIE = "orchestrator_zone", "orchestrator_theme"
"""Neither is a secret; `static/js/time.js` sets the zone of a browser that has none."""
THEMES = ("light", "dark")
SYSTEM = "system"
"""The choice of no theme but that of the system, whatever the browser's cookie says."""
PAGE_SIZE = 50
A_YEAR_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Viewer:
    """What templates ask about times."""

    now: datetime
    zone: ZoneInfo
    theme: str | None
    """None for that of the system."""
    has_zone: bool
    has_single_keys: bool = True
    """Whether single letters are shortcuts."""
    page_size: int = PAGE_SIZE
    """How many rows a page of a list has."""

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
    """From the account of whoever is signed in, and the cookies of the browser."""
    chosen = preferences_of(request)
    zone = _zone(chosen.timezone) or _zone(request.cookies.get(ZONE_COOKIE))
    theme = chosen.theme or request.cookies.get(THEME_COOKIE)
    return Viewer(
        request.app.state.sessions.clock.now(),
        zone or ZoneInfo("UTC"),
        theme if theme in THEMES else None,
        has_zone=zone is not None,
        has_single_keys=chosen.single_keys is not False,
        page_size=chosen.page_size or PAGE_SIZE,
    )


def preferences_of(request: Request) -> Preferences:
    """What the account says; nothing before the person is known."""
    found: Preferences = getattr(request.state, "preferences", None) or Preferences()
    return found


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return parse_zone(name.replace("%2F", "/")) if name else None
    except UserError:
        return None


def keep_theme(response: Response, theme: str) -> None:
    """For the pages of this browser that no one is signed in to; anything else is that of the system."""
    kept, seconds = (theme, A_YEAR_SECONDS) if theme in THEMES else ("", 0)
    response.set_cookie(THEME_COOKIE, kept, max_age=seconds, httponly=True, samesite="lax")


def forget_zone(response: Response) -> None:
    """The browser says its own again."""
    response.set_cookie(ZONE_COOKIE, "", max_age=0, samesite="lax")

"""The things that were looked at last in this browser, for the empty field of a search.

A cookie that scripts cannot read has them. Whoever it was that visited them: only those of a project that the
person may read are shown, and a title is all that they tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.web.own_paths import HOME, own_path
from orchestrator_api.web.urls import urls_of

COOKIE = "orchestrator_visited"
MOST = 5
KEPT = 8
"""Those of several projects."""
LONGEST_PATH, LONGEST_TITLE = 240, 60
LONGEST = 3000
"""Browsers keep cookies of 4,096 bytes, at most."""
A_MONTH_SECONDS = 30 * 24 * 3600
BETWEEN, BESIDE = "|", "!"


@dataclass(frozen=True, slots=True)
class Visit:
    """A page and its title."""

    path: str
    title: str


def recent(request: Request, project: str) -> list[Visit]:
    """The last ones of this project, the newest first."""
    urls = urls_of(request)
    begin = urls("project", project=project) + "/"
    found = _read(request.cookies.get(COOKIE, ""))
    return [
        each
        for each in found
        if each.path.startswith(begin) and own_path(each.path, urls.prefix) != urls.prefix + HOME
    ][:MOST]


def keep(request: Request, response: Response, title: str) -> None:
    """Remember the page of a thing; lists and forms are found anyway."""
    path = request.url.path
    if request.method != "GET" or not _is_of_thing(path, urls_of(request).prefix) or len(path) > LONGEST_PATH:
        return
    visit = Visit(path, title[:LONGEST_TITLE])
    others = [each for each in _read(request.cookies.get(COOKIE, "")) if each.path != path]
    visits = [visit, *others][:KEPT]
    while len(text := _written(visits)) > LONGEST:
        visits.pop()
    response.set_cookie(COOKIE, text, max_age=A_MONTH_SECONDS, httponly=True, samesite="lax")


def _is_of_thing(path: str, prefix: str) -> bool:
    """`/projects/demo/orchestrations/campaigns`, and what is below it."""
    parts = path.removeprefix(prefix).strip("/").split("/")
    return len(parts) > 3 and parts[0] == "projects"


def _written(visits: Sequence[Visit]) -> str:
    return BETWEEN.join(f"{quote(each.path, safe='')}{BESIDE}{quote(each.title, safe='')}" for each in visits)


def _read(text: str) -> list[Visit]:
    found = []
    for part in text.split(BETWEEN)[:KEPT]:
        path, between, title = part.partition(BESIDE)
        if between:
            found.append(Visit(unquote(path), unquote(title)[:LONGEST_TITLE]))
    return found

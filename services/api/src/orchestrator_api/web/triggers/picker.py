"""The tables that a trigger may wait for: those that are ticked, and those that a search finds."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator_api.http.session import Session
from orchestrator_api.tables import service as tables
from orchestrator_api.tables.service import RegularTable
from orchestrator_api.triggers import self_triggering
from orchestrator_api.triggers.rhythms import Punctuality, TriggerPreview, preview
from orchestrator_api.triggers.service import shown_table
from orchestrator_api.web import forms
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.triggers import form, words
from orchestrator_api.web.viewer import Viewer
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.tables import TableRef

MOST_FOUND = 8


@dataclass(frozen=True, slots=True)
class Choice:
    """One table to tick."""

    table: str
    said: str
    parts: Sequence[tuple[str, bool]]
    owner: str | None = None
    """Of a table of another project."""
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Picker:
    """What is ticked, what was found, and a name that was never heard."""

    ticked: Sequence[Choice]
    found: Sequence[Choice]
    is_cut: bool
    unheard: Choice | None
    search: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the cool-down and its modes mean for the tables that are ticked."""

    ignore: str
    defer: str
    dropped: Sequence[str]
    warning: str | None


async def picker(
    session: Session, orchestration: str, fields: Fields, seen: TriggerPreview | None, viewer: Viewer
) -> Picker:
    """What is ticked stays at the top, whatever is searched for."""
    ticked, search = form.tables_of(fields), fields["q"].strip()
    known = {each.table: each for each in seen.tables} if seen else {}
    listed = await tables.listing(session, (None, None), search or None, MOST_FOUND + len(ticked) + 1)
    regular = await tables.with_rhythms(session, listed, viewer.zone)
    written = await self_triggering.tables_written(session, orchestration)
    others = [_choice(session.project, each, search, written, viewer) for each in regular]
    found = [each for each in others if each.table not in ticked]
    return Picker(
        [_ticked(table, known.get(table), viewer) for table in ticked],
        found[:MOST_FOUND],
        len(found) > MOST_FOUND,
        _unheard(session.project, search, [*ticked, *(each.table for each in others)]),
        search,
    )


def _choice(project: str, each: RegularTable, search: str, written: set[str], viewer: Viewer) -> Choice:
    table = shown_table(project, each.project, each.name)
    own = each.project == project
    why_not = (
        "it writes this itself: it would start itself again and again" if own and each.name in written else ""
    )
    said = words.heard(each.last_heard_at, each, viewer)
    return Choice(table, said, words.marked(table, search), None if own else each.project, why_not)


def _ticked(table: str, seen: Punctuality | None, viewer: Viewer) -> Choice:
    last = getattr(seen, "last_heard_at", None)
    owner = table.rpartition("/")[0] or None
    return Choice(table, words.heard(last, seen or Punctuality(), viewer), [(table, False)], owner)


def _unheard(project: str, search: str, known: Sequence[str]) -> Choice | None:
    try:
        ref = TableRef.parse(search, own_project=project)
    except UserError:
        return None
    table = shown_table(project, ref.project, str(ref.name))
    if table in known:
        return None
    return Choice(table, "not known yet: it counts from its first update", [(table, False)])


async def seen(session: Session, fields: Fields, viewer: Viewer) -> tuple[TriggerPreview | None, Fields]:
    """The preview of what is ticked, and what is wrong with it, by field."""
    ticked, cool_down, errors = form.tables_of(fields), 0, Fields()
    try:
        cool_down = form.cool_down_of(fields)
    except UserError as error:
        errors = forms.refused(error, form.PLACES)
    if not ticked:
        return None, errors
    try:
        return await preview(session, ticked, cool_down, viewer.zone), errors
    except UserError as error:
        return None, Fields(errors | forms.refused(error, form.PLACES))


def meaning(found: TriggerPreview | None, fields: Fields) -> Meaning | None:
    """In words, with the numbers of these tables; nothing of what a cool-down would drop if there is none."""
    if found is None:
        return None
    dropped = words.dropped(found.starvation) if form.has_cool_down(fields) else []
    return Meaning(found.ignore, found.defer, dropped, found.starvation.warning)

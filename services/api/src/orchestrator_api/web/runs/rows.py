"""The rows of a timeline as HTML: of hundreds of tasks, a template would need most of the page's time."""

from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

from markupsafe import Markup, escape

from orchestrator_api.web import words
from orchestrator_api.web.runs.timeline import PhaseRows, Row

GRID = '<use href="#grid"/>'


@dataclass(frozen=True, slots=True)
class Looks:
    """What rows have in common."""

    glyphs: Mapping[str, str]
    """By status."""
    tiles: Mapping[str, str]
    """By component."""
    address: str
    """Of the page."""
    selected: str | None
    """The task whose log is shown."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a phase; the key is another one as soon as anything in them is."""

    html: Markup
    key: str


def rows_of(
    phase: PhaseRows,
    place: int,
    glyphs: Mapping[str, str],
    tiles: Mapping[str, str],
    address: str,
    selected: str | None,
) -> Rows:
    """`<tr>` for a phase and each of its tasks."""
    looks = Looks(glyphs, tiles, str(escape(address)), selected)
    took = "" if phase.seconds is None else words.duration(phase.seconds)
    head = (
        f'<tr class="o-tl-phase"><th scope="rowgroup" class="o-tl-name o-anywhere">'
        f"{place}  {escape(phase.name)}"
        f'</th><td><svg aria-hidden="true">{GRID}</svg></td><td class="o-tl-dur">{took}</td></tr>'
    )
    html = "\n".join([head, *(_row(row, looks) for row in phase.rows)])
    return Rows(Markup(html), f"{crc32(html.encode()):08x}")  # noqa: S704  its parts are escaped


def _row(row: Row, looks: Looks) -> str:
    task = row.task
    chosen = " data-selected" if task.id == looks.selected else ""
    duration = "&ndash;" if row.ran_seconds is None else words.duration(row.ran_seconds)
    return (
        f'<tr id="{escape(row.element_id)}"{chosen}><th scope="row" class="o-tl-name"><div class="o-row">'
        f"{looks.glyphs[row.status]}{looks.tiles.get(task.component, '')}{_name(row, looks.address)}"
        f'</div></th><td><svg aria-hidden="true">{GRID}{row.svg}</svg>'
        f'<span class="o-vh">{escape(row.sentence)}</span></td><td class="o-tl-dur">{duration}</td></tr>'
    )


def _name(row: Row, address: str) -> str:
    task = row.task
    target = escape(f"{task.component}/{task.configuration}")
    name = escape(task.name)
    if task.job is None:
        return f'<span class="o-cut o-grow" title="{target}">{name}</span>'
    link = f"{address}?{escape(row.query)}#log"
    return f'<a class="o-plain o-cut o-grow" title="{target}" href="{link}">{name}</a>'

"""Suggestions for a name that is not a time zone: accepted names only."""

import difflib
import re
from collections.abc import Collection, Mapping

_ABBREVIATIONS = {
    "ACST": ("Australia/Darwin",),
    "ADT": ("America/Halifax",),
    "AEDT": ("Australia/Sydney",),
    "AEST": ("Australia/Sydney", "Australia/Brisbane"),
    "AKDT": ("America/Anchorage",),
    "AKST": ("America/Anchorage",),
    "AST": ("America/Halifax", "Asia/Riyadh"),
    "AWST": ("Australia/Perth",),
    "BRT": ("America/Sao_Paulo",),
    "BST": ("Europe/London",),
    "CDT": ("America/Chicago",),
    "CEST": ("Europe/Paris",),
    "CST": ("America/Chicago", "Asia/Shanghai"),
    "EDT": ("America/New_York",),
    "EEST": ("Europe/Athens",),
    "HKT": ("Asia/Hong_Kong",),
    "IST": ("Asia/Kolkata", "Asia/Jerusalem", "Europe/Dublin"),
    "JST": ("Asia/Tokyo",),
    "KST": ("Asia/Seoul",),
    "MDT": ("America/Denver",),
    "MSK": ("Europe/Moscow",),
    "NST": ("America/St_Johns",),
    "NZDT": ("Pacific/Auckland",),
    "NZST": ("Pacific/Auckland",),
    "PDT": ("America/Los_Angeles",),
    "PKT": ("Asia/Karachi",),
    "PST": ("America/Los_Angeles", "Asia/Manila"),
    "SAST": ("Africa/Johannesburg",),
    "SGT": ("Asia/Singapore",),
    "WEST": ("Europe/Lisbon",),
    "WIB": ("Asia/Jakarta",),
    "Z": ("UTC",),
}
_OFFSET = re.compile(r"(?:etc/)?(?:gmt|utc)? ?([+-]) ?(\d{1,2})(?::?(\d{2}))?", re.ASCII | re.IGNORECASE)
_LIKENESS = 0.8
_MOST_LETTERS = 64


def near_zones(name: str, names: Collection[str]) -> list[str]:
    """Up to three accepted names that may have been meant, the likeliest first."""
    written = " ".join(name.split())
    if not written or len(written) > _MOST_LETTERS:
        return []
    found = (
        _same(written, {name: name for name in names})
        or _ABBREVIATIONS.get(written.upper(), ())
        or _fixed_offset(written)
        or _same(written, _places(names))
        or _alike(written, _places(names) if "/" not in written else {name: name for name in names})
    )
    return [each for each in found if each in names][:3]


def advice(name: str, names: Collection[str]) -> str:
    """The end of a refusal: what to write."""
    near = near_zones(name, names)
    if near and near[0].startswith("Etc/GMT"):
        return (
            f"; for a fixed offset write {near[0]} (its sign is reversed), else a place such as Europe/Prague"
        )
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return ": write an IANA name such as Europe/Prague"


def _places(names: Collection[str]) -> dict[str, str]:
    """`Europe/Prague` by `Prague`."""
    return {name.rpartition("/")[2]: name for name in sorted(names) if not name.startswith("Etc/")}


def _letters(text: str) -> str:
    return re.sub(r"[ _-]", "_", text).casefold()


def _same(written: str, named: Mapping[str, str]) -> list[str]:
    """But for upper case, and for blanks in place of underscores."""
    return [name for text, name in sorted(named.items()) if _letters(text) == _letters(written)]


def _alike(written: str, named: Mapping[str, str]) -> list[str]:
    texts = {_letters(text): name for text, name in sorted(named.items())}
    near = difflib.get_close_matches(_letters(written), texts, n=2, cutoff=_LIKENESS)
    return [texts[text] for text in near]


def _fixed_offset(written: str) -> list[str]:
    """People's `GMT+2`, two hours ahead of UTC, is POSIX's `Etc/GMT-2`; half hours have no such zone."""
    match = _OFFSET.fullmatch(written)
    if match is None or match[3] not in (None, "00"):
        return []
    hours = int(match[2])
    return [f"Etc/GMT{'-' if match[1] == '+' else '+'}{hours}"] if hours else ["UTC"]

"""Conditional requests (RFC 9110, section 13): entity tags, and which state a request may change."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from orchestrator_shared.domain.errors import UserError

IF_MATCH = "If-Match"
IF_NONE_MATCH = "If-None-Match"
ANY = "*"
TAG_BYTES = 12

_TAG = re.compile(r'(W/)?("[!#-~\x80-\xff]*")')


def entity_tag(*parts: object) -> str:
    """A strong tag of these values; equal values give equal tags, in every replica."""
    digest = hashlib.sha256(json.dumps(parts, default=str).encode()).digest()
    return f'"{base64.urlsafe_b64encode(digest[:TAG_BYTES]).decode()}"'


class Verdict(StrEnum):
    """Whether a request may change what there is, and if not, why."""

    MET = "met"
    MISSING = "missing"
    """It exists, and the request does not say which state of it the caller has seen."""
    STALE = "stale"
    """It has changed since the caller saw it."""
    WEAK = "weak"
    """The caller sent the current tag, weakened: If-Match compares strongly."""
    GONE = "gone"
    """The caller has seen it, but it does not exist."""
    EXISTS = "exists"
    """The caller wants to create it, or to save it over anything but this state."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag of a header."""

    opaque: str
    is_weak: bool = False


Tags = tuple[Tag, ...]
"""The tags of a header; none of them stands for `*`."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Which state a request may change, by its headers If-Match and If-None-Match."""

    matching: Tags | None = None
    excluded: Tags | None = None

    @classmethod
    def read(cls, if_match: str | None, if_none_match: str | None) -> "Condition":
        """The condition of these headers; raises UserError for a malformed one."""
        return cls(_tags(if_match, IF_MATCH), _tags(if_none_match, IF_NONE_MATCH))

    @classmethod
    def seen(cls, etag: str | None) -> "Condition":
        """The condition of a caller that has seen this state; None if there was nothing."""
        return cls(excluded=()) if etag is None else cls(matching=(Tag(etag),))

    def verdict(self, current: str | None) -> Verdict:
        """Compare with the current tag; None if there is nothing."""
        if current is None:
            return Verdict.MET if self.matching is None else Verdict.GONE
        verdict = Verdict.MISSING if self.matching is None else _match(self.matching, current)
        if verdict in (Verdict.MET, Verdict.MISSING) and _is_excluded(self.excluded, current):
            return Verdict.EXISTS
        return verdict


def _match(tags: Tags, current: str) -> Verdict:
    """Strong comparison: a weak tag matches nothing."""
    same = [tag.is_weak for tag in tags if tag.opaque == current]
    if not tags or False in same:
        return Verdict.MET
    return Verdict.WEAK if same else Verdict.STALE


def _is_excluded(tags: Tags | None, current: str) -> bool:
    """Weak comparison."""
    return tags is not None and (not tags or any(tag.opaque == current for tag in tags))


def _tags(header: str | None, name: str) -> Tags | None:
    if header is None:
        return None
    if header.strip() == ANY:
        return ()
    tags = tuple(_parsed(header, name))
    if not tags:
        raise _malformed(name)
    return tags


def _parsed(header: str, name: str) -> Iterator[Tag]:
    """A list of tags; as in every list of RFC 9110, elements may be empty."""
    position, is_separated = 0, True
    while position < len(header):
        if header[position] in " \t,":
            is_separated = is_separated or header[position] == ","
            position += 1
            continue
        found = _TAG.match(header, position)
        if found is None or not is_separated:
            raise _malformed(name)
        yield Tag(found[2], found[1] is not None)
        position, is_separated = found.end(), False


def _malformed(name: str) -> UserError:
    return UserError(
        'must be * or a list of tags in double quotes, such as "Zm9vYmFy": send the etag as you got it',
        field=name,
    )

"""Secrets made unreadable in a stream of bytes, also where a chunk ends in the middle of one."""

import json
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = b"***"
MIN_SECRET = 3
"""Shorter values are left alone: masking each "1" would show where they are and spoil the rest."""
_MIN_LINE = 8


def secret_forms(secrets: Iterable[str]) -> tuple[bytes, ...]:
    """The ways in which a secret is usually printed: as it is, in a URL, in JSON, line by line."""
    forms: set[str] = set()
    for secret in secrets:
        lines = [line.strip() for line in secret.splitlines()]
        values = {secret, secret.strip(), *(line for line in lines if len(line) >= _MIN_LINE)}
        for value in values:
            forms |= {value, quote(value, safe="", errors="replace"), quote_plus(value, errors="replace")}
            forms |= {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    encoded = {form.encode(errors="surrogateescape") for form in forms if len(form) >= MIN_SECRET}
    return tuple(sorted(encoded, key=lambda form: (-len(form), form)))


class Masker:
    """Replaces every secret by the mask; keeps back no more than what may be the beginning of one."""

    def __init__(self, forms: tuple[bytes, ...]) -> None:
        self._forms = forms
        self._held = b""
        self._covered = 0
        """How much of what is held belongs to a secret whose mask was already given out."""

    def feed(self, data: bytes) -> bytes:
        """What can be shown now."""
        if not self._forms:
            return data
        data = self._held + data if self._held else data
        return self._release(data, len(data) - self._unfinished(data))

    def finish(self) -> bytes:
        """The rest, when nothing follows."""
        return self._release(self._held, len(self._held))

    def _release(self, data: bytes, cut: int) -> bytes:
        self._held = data[cut:]
        spans = self._spans(data)
        self._covered = max((end - cut for start, end in spans if start < cut < end), default=0)
        if not spans:
            return data[:cut]
        shown, position = [], 0
        for start, end in spans:
            if start >= cut:
                break
            shown.append(data[position : max(start, 0)])
            if start >= 0:
                shown.append(MASK)
            position = min(end, cut)
        shown.append(data[position:cut])
        return b"".join(shown)

    def _spans(self, data: bytes) -> list[tuple[int, int]]:
        """Where secrets lie, those that overlap joined; one that began earlier starts before 0."""
        found = [(-1, self._covered)] if self._covered else []
        for form in self._forms:
            position = data.find(form)
            while position >= 0:
                found.append((position, position + len(form)))
                position = data.find(form, position + 1)
        return _joined(found)

    def _unfinished(self, data: bytes) -> int:
        """Length of the longest end of the data with which a secret begins."""
        return max((_overlap(data, form) for form in self._forms), default=0)


def _overlap(data: bytes, form: bytes) -> int:
    tail = data[max(len(data) - len(form) + 1, 0) :]
    position = tail.find(form[:1])
    while position >= 0:
        if form.startswith(tail[position:]):
            return len(tail) - position
        position = tail.find(form[:1], position + 1)
    return 0


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def mask(data: bytes, forms: tuple[bytes, ...]) -> bytes:
    """Mask a text that is complete."""
    masker = Masker(forms)
    return masker.feed(data) + masker.finish()

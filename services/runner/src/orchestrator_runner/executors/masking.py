"""Masks secrets in a stream of bytes, including secrets split between two chunks."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from orchestrator_runner.executors.encodings import binary_encoded, escaped, inner_secrets, url_safe

MASK = b"***"
MIN_SECRET = 3
"""Shorter values are not masked: masking every "1" would reveal where they are and spoil the rest."""
_MIN_LINE = 8
_MARKERS = b"%\\&"
"""Most encoded forms contain one of these; a text without them need not be searched for those forms."""


def secret_forms(secrets: Iterable[str]) -> tuple[bytes, ...]:
    """The forms in which secrets, and the secret parts inside them, are usually printed."""
    return _secret_forms(frozenset(secrets))


@lru_cache(maxsize=64)  # cached, because one attempt asks several times
def _secret_forms(secrets: frozenset[str]) -> tuple[bytes, ...]:
    forms = {form for secret in secrets for form in _forms(secret)}
    return tuple(sorted((form for form in forms if len(form) >= MIN_SECRET), key=lambda f: (-len(f), f)))


def _forms(secret: str) -> Iterator[bytes]:
    values = {secret, *inner_secrets(secret)}
    values |= {value.strip() for value in values}
    lines = {line.strip() for line in secret.splitlines()}
    for value in values | {line for line in lines if len(line) >= _MIN_LINE}:
        if len(value) >= MIN_SECRET:
            yield from (form.encode(errors="surrogatepass") for form in escaped(value))
            if not value.isascii() and max(value) <= "\xff":  # for programs that do not write UTF-8
                yield value.encode("latin-1")
    for value in values:
        if len(value) >= MIN_SECRET:
            for code in binary_encoded(value.encode(errors="surrogatepass")):
                yield from (code, url_safe(code))


@lru_cache(maxsize=64)
def _families(forms: tuple[bytes, ...]) -> dict[int | None, dict[bytes, tuple[bytes, ...]]]:
    """Forms to search for, by a byte that must be present, then by their common beginning, longest first."""
    heads: dict[bytes, list[bytes]] = {}
    lengths: list[int] = []
    for form in sorted(forms, key=len):
        head = next((form[:length] for length in lengths if form[:length] in heads), form)
        lengths = sorted({*lengths, len(head)})
        heads.setdefault(head, []).insert(0, form)
    families: dict[int | None, dict[bytes, tuple[bytes, ...]]] = {}
    for head, family in heads.items():
        marker = next((byte for byte in _MARKERS if byte in head), None)
        families.setdefault(marker, {})[head] = tuple(family)
    return families


class Masker:
    """Replaces every secret by the mask; holds back no more than what may be the beginning of one."""

    def __init__(self, forms: tuple[bytes, ...]) -> None:
        self._forms = forms
        self._families = _families(forms)
        self._held = b""
        self._covered = 0
        """How many of the held bytes belong to a secret whose mask was already written."""

    def feed(self, data: bytes) -> bytes:
        """Take bytes; return what can be shown now."""
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
        """Where secrets lie, overlapping ones joined; one that began in an earlier chunk starts before 0."""
        found = [(-1, self._covered)] if self._covered else []
        for marker, heads in self._families.items():
            if marker is None or marker in data:
                for head, family in heads.items():
                    found += _occurrences(data, head, family)
        return _joined(found)

    def _unfinished(self, data: bytes) -> int:
        """Length of the longest end of the data that is the beginning of a secret."""
        return max((_overlap(data, form) for form in self._forms), default=0)


def _occurrences(data: bytes, head: bytes, family: tuple[bytes, ...]) -> Iterator[tuple[int, int]]:
    position = data.find(head)
    while position >= 0:
        longest = next(form for form in family if data.startswith(form, position))
        yield position, position + len(longest)
        position = data.find(head, position + 1)


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
    """Mask a complete text."""
    masker = Masker(forms)
    return masker.feed(data) + masker.finish()

"""Refusals of definitions, by file and line instead of by the number of a document."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from orchestrator_cli.client import Refused
from orchestrator_shared.definitions.loader import Document

_NUMBERED = re.compile(r"documents\[(?P<number>\d+)\](?P<more>\.|: )?")


@contextmanager
def by_file(documents: Sequence[Document]) -> Iterator[None]:
    """What the server refuses of these documents names the file and the line where the document begins."""
    try:
        yield
    except Refused as refusal:
        details = [with_places(line, documents) for line in refusal.details]
        raise Refused(refusal.status, with_places(refusal.text, documents), details=details) from None


def with_places(text: str, documents: Sequence[Document]) -> str:
    def place(found: re.Match[str]) -> str:
        number = int(found["number"])
        if number >= len(documents):
            return found[0]
        document = documents[number]
        return f"{document.file}:{document.line}" + (": " if found["more"] else "")

    return _NUMBERED.sub(place, text)

"""Labels of orchestrations: short texts by which people sort and find them."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

MAX_LABELS = 20
_PATTERN = r"^[^\s,]+( [^\s,]+)*$"
Label = Annotated[
    str,
    Field(
        min_length=1,
        max_length=40,
        pattern=_PATTERN,
        description="Words separated by single spaces, without commas.",
        examples=["marketing"],
    ),
]


def sorted_labels(labels: Sequence[str]) -> list[str]:
    """In alphabetical order, as they are stored and shown; refuses one that is given twice."""
    if len(set(labels)) < len(labels):
        raise ValueError("duplicate label")
    return sorted(labels)

"""Labels of orchestrations: short texts by which people sort and find them."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

MAX_LABELS = 20
_CHARACTER = r"[^\x00-\x20,\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
"""Neither space nor control nor comma: written out, since programs disagree about what a space is."""
_PATTERN = f"^{_CHARACTER}+( {_CHARACTER}+)*$"
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

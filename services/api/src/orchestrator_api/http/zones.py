"""The time zone in which the one who asks wants times of day to be understood."""

from typing import Annotated

from fastapi import Query

ZoneName = Annotated[
    str,
    Query(
        max_length=100,
        examples=["Europe/Prague"],
        description="Usual times of day are those of this time zone.",
        json_schema_extra={"format": "time-zone"},
    ),
]
"""Parsed with `parse_zone` once the caller is let in."""

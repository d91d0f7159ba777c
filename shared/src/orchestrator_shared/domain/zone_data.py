"""The time zones of the pinned tzdata, never the host's: any two hosts fire at the same instants."""

from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo, reset_tzpath

import tzdata

TZDATA_VERSION: str = tzdata.IANA_VERSION

_NO_PLACE = frozenset({"Factory"})

# Python prefers the host's zones, whatever PYTHONTZPATH and packages say. For the whole process, as libraries
# make zones, too; what was made before is forgotten.
reset_tzpath(())
ZoneInfo.clear_cache()


@cache
def zone_names() -> frozenset[str]:
    """Every name that is accepted."""
    return frozenset(resources.files(tzdata).joinpath("zones").read_text("utf-8").split()) - _NO_PLACE


def load_zone(name: str) -> ZoneInfo:
    """The zone of an accepted name."""
    return ZoneInfo(name)

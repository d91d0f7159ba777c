"""Issue 8, numbers 38 and 39: the pinned tzdata decides, and only accepted zones are suggested."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata, resources
from pathlib import Path

import pytest
import tzdata
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.zone_data import TZDATA_VERSION, load_zone, zone_names
from orchestrator_shared.domain.zone_suggestions import near_zones
from orchestrator_shared.domain.zones import parse_zone

SOURCES = ("shared/src", "services", "cli/src", "local/src", "components/src")
ROOT = Path(__file__).parents[3]
SHOW = """
from datetime import UTC, datetime
from zoneinfo import ZoneInfo
at = datetime(2026, 7, 1, tzinfo=UTC)
before = at.astimezone(ZoneInfo("Europe/Prague")).utcoffset()
from orchestrator_shared.domain.zones import parse_zone
zones = (parse_zone("Europe/Prague"), ZoneInfo("Europe/Prague"))
print(before, *(at.astimezone(zone).utcoffset() for zone in zones))
"""


def test_the_host_s_zones_are_not_used(tmp_path: Path) -> None:
    """A host whose Prague is Tokyo: also what was made before, and what libraries make, is the pinned one."""
    (tmp_path / "Europe").mkdir()
    tokyo = resources.files("tzdata.zoneinfo").joinpath("Asia/Tokyo").read_bytes()
    (tmp_path / "Europe" / "Prague").write_bytes(tokyo)
    environment = os.environ | {"PYTHONTZPATH": str(tmp_path)}
    shown = subprocess.run(
        [sys.executable, "-c", SHOW], env=environment, capture_output=True, text=True, check=True
    )
    assert shown.stdout.split() == ["9:00:00", "2:00:00", "2:00:00"]


def test_every_accepted_zone_comes_from_the_pinned_package() -> None:
    at = datetime(2026, 10, 1, tzinfo=UTC)
    folder = resources.files("tzdata.zoneinfo")
    for name in zone_names():
        with folder.joinpath(name).open("rb") as file:
            pinned = type(parse_zone(name)).from_file(file)
        assert at.astimezone(load_zone(name)).utcoffset() == at.astimezone(pinned).utcoffset(), name
    required = next(line for line in metadata.requires("orchestrator-shared") or [] if "tzdata" in line)
    assert required == f"tzdata=={tzdata.__version__}"
    assert TZDATA_VERSION == tzdata.IANA_VERSION


def test_no_query_asks_for_postgresql_s_own_zones() -> None:
    """Sessions are in UTC; the database's zones may be of another version, UTC apart."""
    files = [
        file for folder in SOURCES for file in (ROOT / folder).rglob("*") if file.suffix in (".sql", ".py")
    ]
    assert len(files) > 100
    at_zone = re.compile(r"\bat\s+time\s+zone\b(?! 'UTC')|\btimezone\s*\(|\bpg_timezone", re.IGNORECASE)
    assert [file.name for file in files if at_zone.search(file.read_text())] == []


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("PST", "did you mean America/Los_Angeles or Asia/Manila?"),
        ("GMT+2", "for a fixed offset write Etc/GMT-2 (its sign is reversed)"),
        ("UTC-05:00", "write Etc/GMT+5"),
        ("UTC+5:30", "write an IANA name"),
        ("GMT+15", "write an IANA name"),
        ("America/New York", "did you mean America/New_York?"),
        ("new york", "did you mean America/New_York?"),
        ("europe/prague", "did you mean Europe/Prague?"),
        ("Prague", "did you mean Europe/Prague?"),
        ("Prauge", "did you mean Europe/Prague?"),
        ("Europe/Prag", "did you mean Europe/Prague"),
        ("utc", "did you mean UTC?"),
        ("local", "write an IANA name such as Europe/Prague"),
        ("localtime", "write an IANA name such as Europe/Prague"),
        ("Factory", "write an IANA name such as Europe/Prague"),
    ],
)
def test_the_message_about_a_name_that_is_not_a_zone(written: str, expected: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_zone(written)
    assert expected in caught.value.detail
    for suggested in near_zones(written, zone_names()):
        parse_zone(suggested)


@given(
    st.one_of(
        st.text(max_size=70), st.from_regex(r"(?i)(gmt|utc|etc/gmt)? ?[+-]\d{1,2}(:?\d\d)?", fullmatch=True)
    )
)
def test_every_zone_that_is_suggested_is_accepted(written: str) -> None:
    for suggested in near_zones(written, zone_names()):
        assert parse_zone(suggested).key == suggested


def test_a_fixed_offset_is_suggested_with_the_sign_that_people_mean() -> None:
    at = datetime(2026, 7, 1, tzinfo=UTC)
    for hours in (*range(-12, 0), *range(1, 15)):
        [name] = near_zones(f"UTC{hours:+}", zone_names())
        offset = at.astimezone(parse_zone(name)).utcoffset()
        assert offset is not None
        assert offset.total_seconds() == hours * 3600

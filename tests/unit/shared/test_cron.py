"""Cron and intervals: golden cases across daylight saving, refusals with position, cronsim as an oracle."""

import random
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator_shared.domain.cron import Cron, CronError, Every, Fire, next_fires
from orchestrator_shared.domain.durations import format_duration, parse_duration
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.zones import parse_zone


def shown(fire: Fire) -> str:
    marks = "".join([" moved" if fire.moved else "", " repeated" if fire.repeated else ""])
    return f"{fire.at:%m-%dT%H:%M} {fire.local:%H:%M}{marks}"


def fires(text: str, zone: str, after: str, count: int = 3) -> list[str]:
    return [
        shown(fire)
        for fire in next_fires(Cron.parse(text), datetime.fromisoformat(after), parse_zone(zone), count)
    ]


GOLDEN = [
    ("30 2 * * *", "Europe/Prague", "2026-03-28T12:00Z", ["03-29T01:00 03:00 moved", "03-30T00:30 02:30"]),
    ("30 2 * * *", "Europe/Prague", "2026-10-24T12:00Z", ["10-25T00:30 02:30 repeated", "10-26T01:30 02:30"]),
    ("15,45 2 * * *", "Europe/Prague", "2026-03-28T12:00Z", ["03-29T01:00 03:00 moved", "03-30T00:15 02:15"]),
    ("0 2,3 * * *", "Europe/Prague", "2026-03-28T12:00Z", ["03-29T01:00 03:00", "03-30T00:00 02:00"]),
    (
        "*/30 * * * *",
        "Europe/Prague",
        "2026-10-24T23:40Z",
        [
            "10-25T00:00 02:00 repeated",
            "10-25T00:30 02:30 repeated",
            "10-25T01:00 02:00 repeated",
            "10-25T01:30 02:30 repeated",
            "10-25T02:00 03:00",
        ],
    ),
    ("*/30 * * * *", "Europe/Prague", "2026-03-29T00:10Z", ["03-29T00:30 01:30", "03-29T01:00 03:00"]),
    ("30 */2 * * *", "Europe/Prague", "2026-03-28T23:00Z", ["03-28T23:30 00:30", "03-29T02:30 04:30"]),
    (
        "30 1 * * *",
        "America/New_York",
        "2026-10-31T12:00Z",
        ["11-01T05:30 01:30 repeated", "11-02T06:30 01:30"],
    ),
    ("30 2 * * *", "America/New_York", "2026-03-07T12:00Z", ["03-08T07:00 03:00 moved", "03-09T06:30 02:30"]),
    ("0 0 * * *", "Africa/Cairo", "2026-04-23T12:00Z", ["04-23T22:00 01:00 moved", "04-24T21:00 00:00"]),
    ("0 0 * * *", "America/Sao_Paulo", "2017-10-14T12:00Z", ["10-15T03:00 01:00 moved", "10-16T02:00 00:00"]),
    ("30 0 * * *", "Asia/Beirut", "2026-03-28T12:00Z", ["03-28T22:00 01:00 moved", "03-29T21:30 00:30"]),
    ("0 10 * * *", "Pacific/Apia", "2011-12-30T09:00Z", ["12-30T10:00 00:00 moved", "12-30T20:00 10:00"]),
    (
        "45 1 * * *",
        "Australia/Lord_Howe",
        "2026-04-04T12:00Z",
        ["04-04T14:45 01:45 repeated", "04-05T15:15 01:45"],
    ),
    (
        "15 2 * * *",
        "Australia/Lord_Howe",
        "2026-10-03T12:00Z",
        ["10-03T15:30 02:30 moved", "10-04T15:15 02:15"],
    ),
    (
        "*/15 * * * *",
        "Australia/Lord_Howe",
        "2026-04-04T14:40Z",
        [
            "04-04T14:45 01:45 repeated",
            "04-04T15:00 01:30 repeated",
            "04-04T15:15 01:45 repeated",
            "04-04T15:30 02:00",
        ],
    ),
    ("*/15 * * * *", "Australia/Lord_Howe", "2026-10-03T15:20Z", ["10-03T15:30 02:30", "10-03T15:45 02:45"]),
    (
        "0 0 13 * 5",
        "UTC",
        "2026-11-01T00:00Z",
        ["11-06T00:00 00:00", "11-13T00:00 00:00", "11-20T00:00 00:00"],
    ),
    ("0 0 */2 * 5", "UTC", "2026-11-01T00:00Z", ["11-13T00:00 00:00", "11-27T00:00 00:00"]),
    ("0 0 1 * */2", "UTC", "2026-11-01T12:00Z", ["12-01T00:00 00:00", "08-01T00:00 00:00"][:1]),
    ("0 0 31 12 0-6", "UTC", "2026-11-01T12:00Z", ["12-01T00:00 00:00", "12-02T00:00 00:00"]),
    ("0 12 * * SUN,7", "UTC", "2026-11-20T12:00Z", ["11-22T12:00 12:00", "11-29T12:00 12:00"]),
    (
        "0 12 * * fri-sun",
        "UTC",
        "2026-11-20T13:00Z",
        ["11-21T12:00 12:00", "11-22T12:00 12:00", "11-27T12:00 12:00"],
    ),
    ("0 0 29 Feb *", "UTC", "2096-03-01T00:00Z", ["02-29T00:00 00:00"]),
    # Issue 8, number 39: refused as impossible, although 29 February 2032 is a Sunday.
    ("0 0 29 2 */3", "UTC", "2026-01-01T00:00Z", ["02-29T00:00 00:00"]),
]


@pytest.mark.parametrize(("text", "zone", "after", "expected"), GOLDEN, ids=lambda value: str(value)[:40])
def test_golden(text: str, zone: str, after: str, expected: list[str]) -> None:
    assert fires(text, zone, after, len(expected)) == expected


def test_keys_are_wall_times_for_fixed_and_instants_for_wildcard() -> None:
    after, zone = datetime(2026, 3, 28, 12, tzinfo=UTC), parse_zone("Europe/Prague")
    assert next_fires(Cron.parse("30 2 * * *"), after, zone, 1)[0].key == "2026-03-29T02:30"
    assert next_fires(Cron.parse("30 * * * *"), after, zone, 1)[0].key == "2026-03-28T12:30:00Z"
    assert next_fires(Every(2700), after, zone, 1)[0].key == "2026-03-28T12:45:00Z"


REFUSED = [
    ("", 1, "found 0"),
    ("* * * *", 8, "found 4"),
    ("0 0 12 * * *", 12, "seconds and years are not supported: write `0 12 * * *`"),
    ("@daily", 1, "@daily are not supported"),
    (
        "60 * * * *",
        1,
        "minute (field 1, character 1): minutes go from 0 to 59, you wrote 60; for the full hour write 0",
    ),
    (
        "0 24 * * *",
        3,
        "hour (field 2, character 3): hours go from 0 to 23, you wrote 24; for midnight write 0",
    ),
    ("0 0 * * 8", 9, "day of week (field 5, character 9): days of the week go from 0 to 7, you wrote 8"),
    ("0  24 * * *", 4, "hour (field 2, character 4): hours"),
    ("0 0 0 * *", 5, "go from 1 to 31"),
    ("0 0 1 13 *", 7, "go from 1 to 12"),
    ("0 0 * * 8", 9, "go from 0 to 7"),
    ("5/15 * * * *", 1, "write 5-59/15"),
    ("0 22-4 * * *", 3, "runs backwards: write 22-23,0-4"),
    ("0 0 * nov-feb *", 7, "runs backwards"),
    ("? * * * *", 1, "write *"),
    ("0 0 L * *", 5, "`L`"),
    ("0 0 15W * *", 5, "`W`"),
    ("0 0 LW * *", 5, "`L`"),
    ("0 0 * * 5#2", 10, "`#`"),
    ("0 0 * * 5L", 9, "`L`"),
    ("R * * * *", 1, "`R`"),
    ("H * * * *", 1, "`H`"),
    ("H(0-5) * * * *", 1, "`H`"),
    ("H/15 * * * *", 1, "`H`"),
    ("*/61 * * * *", 3, "the step 61 is larger than the field (at most 60)"),
    ("0 */25 * * *", 5, "the step 25 is larger"),
    ("*/0 * * * *", 3, "step of 0"),
    ("*/999999999999 * * * *", 3, "larger"),
    ("1,,2 * * * *", 3, "missing beside a comma"),
    ("1, * * * *", 3, "missing beside a comma"),
    ("-5 * * * *", 1, "not a value"),
    ("1-2-3 * * * *", 1, "not a value"),
    ("* * * foo *", 7, "names here are jan"),
    ("mon * * * *", 1, "'mon' is not a value"),
    ("\uff11 * * * *", 1, "not plain ASCII"),
    ("* * * * *\n", 10, "not plain ASCII"),
    ("*\x00* * * *", 2, "not plain ASCII"),
    ("0 0 30 2 *", 5, "no such date"),
    ("0 0 31 4,6,9,11 *", 5, "no such date"),
    ("* * * * *" + " " * 100, 101, "longer than 100"),
]


@pytest.mark.parametrize(
    ("text", "position", "reason"), REFUSED, ids=[repr(case[0])[:25] for case in REFUSED]
)
def test_refusals_name_reason_and_position(text: str, position: int, reason: str) -> None:
    with pytest.raises(CronError) as caught:
        Cron.parse(text, field="schedules.daily.cron")
    assert reason in caught.value.detail
    assert caught.value.position == position
    assert caught.value.field == "schedules.daily.cron"


WAYS_OUT = [
    ("*/90 * * * *", "every: 90m"),
    ("0 */36 * * *", "every: 36h"),
    ("15 6 */40 * *", "every: 40d"),
    ("*/90 5 * * *", "0 5 * * *"),
    ("0 0 * */13 *", "0 0 * 1 *"),
    ("0 0 * * 7-1", "0 0 * * 0-1"),
    ("0 0 * * fri-mon", "0 0 * * 5-6,0-1"),
    ("0 22-4 * * *", "0 22-23,0-4 * * *"),
    ("0 22-4/2 * * *", "0 22,0,2,4 * * *"),
    ("0 0 * * 7/2", "0 0 * * 0-6/2"),
    ("1-15/15,5/15 * * * *", "1-15/15,5-59/15 * * * *"),
    ("0 0 31/5 * *", "0 0 31 * *"),
    ("0 5 * * 1 - 5", "0 5 * * 1-5"),
    ("0 5 * * 1, 2", "0 5 * * 1,2"),
    ("0 5 * * 1-5 # weekdays", "0 5 * * 1-5"),
    ("CRON_TZ=Europe/Prague 0 5 * * *", "0 5 * * *"),
    ("0 0 12 * * ?", "0 12 * * *"),
    ("0 0 12 1 1 ? 2027", "0 12 1 1 *"),
    ("0 0 ? * 5", "0 0 * * 5"),
    ("0 5 * * * /usr/bin/load", "0 5 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@reboot", None),
    ("TZ=UTC 0 5 * *", None),
    ("0 0 ?? * 1", None),
]


@pytest.mark.parametrize(("text", "way_out"), WAYS_OUT)
def test_ways_out(text: str, way_out: str | None) -> None:
    """Issue 8, number 39: a way out that is refused in turn is none (`7-1` answered with `7-6,0-1`)."""
    with pytest.raises(CronError) as caught:
        Cron.parse(text)
    assert caught.value.way_out == way_out
    assert f"character {caught.value.position}" in caught.value.detail
    if way_out is not None:
        assert accepted_way_out(way_out)


def accepted_way_out(text: str) -> Cron | Every:
    every = text.removeprefix("every: ")
    return Cron.parse(text) if every == text else Every.parse(every)


ODD_FIELDS = st.from_regex(
    r"[*?]?(?:[0-9]{1,2}|7|sun|fri|nov|L)?(?:-(?:[0-9]{1,2}|0|sun|mon|feb))?(?:/[0-9]{1,3})?", fullmatch=True
)


@settings(max_examples=600, deadline=None)
@given(
    number=st.integers(0, 4),
    items=st.lists(ODD_FIELDS, min_size=1, max_size=3),
    plain=st.sampled_from(["* * * * *", "0 0 1 1 1"]),
)
def test_every_way_out_is_accepted(number: int, items: list[str], plain: str) -> None:
    """Of a field with several wrong items, the way out changes the first. A warning's interval counts."""
    words = plain.split()
    words[number] = ",".join(items)
    text = " ".join(words)
    found = accepted_or_refused(text)
    if not isinstance(found, CronError):
        warning = found.uneven_warning() or ""
        if "`every: " in warning:
            Every.parse(warning.partition("`every: ")[2].partition("`")[0])
        return
    assert 1 <= found.position <= len(text) + 1
    if found.way_out is not None:
        again = accepted_or_refused(found.way_out)
        assert not isinstance(again, CronError) or len(items) > 1


def accepted_or_refused(text: str) -> Cron | Every | CronError:
    try:
        return accepted_way_out(text)
    except CronError as error:
        return error


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (
            "*/45 * * * *",
            "fires at :00, :45 of every hour, which is not a steady interval of 45m: use `every: 45m`",
        ),
        ("0-59/45 * * * *", "`every: 45m`"),
        ("5-59/45 * * * *", "`every: 45m`"),
        ("0 */5 * * *", "`every: 5h`"),
        ("*/45 5 * * *", "fires at :00, :45, which is not a steady interval of 45m"),
        ("*/60 * * * *", "`*/60` means minute 0 alone"),
        ("0 */24 * * *", "`*/24` means hour 0 alone"),
        ("0 0 * * */7", "`*/7` means day of week 0 alone"),
        ("0 0 */31 * *", "`*/31` means day of month 1 alone"),
        ("0 9-17/3 * * *", None),
        ("30-59/20 * * * *", None),
        ("5-59/15 * * * *", None),
        ("*/15 */6 * * *", None),
        ("0,45 * * * *", None),
    ],
)
def test_steps_that_are_not_what_they_look_like_are_warned_of(text: str, warning: str | None) -> None:
    found = Cron.parse(text).uneven_warning()
    assert (found is None) if warning is None else (found is not None and warning in found)
    if found is not None and "steady" in found:
        assert ("every:" in found) == (warning is not None and "every:" in warning)


def test_sunday_to_sunday_is_one_day() -> None:
    assert Cron.parse("0 0 * * sun-sun").fields[4].values == {0}
    assert Cron.parse("0 0 * * fri-sun").fields[4].values == {0, 5, 6}


def test_a_schedule_whose_every_time_is_left_out_is_refused_in_its_zone() -> None:
    """Issue 8, number 28: it was looked for until the year 9000."""
    cron = Cron.parse("*/30 2 25-31 3 */7")
    cron.check_zone(parse_zone("UTC"))
    with pytest.raises(CronError, match="never fires in Europe/Prague"):
        cron.check_zone(parse_zone("Europe/Prague"))
    assert next_fires(cron, datetime(2026, 1, 1, tzinfo=UTC), parse_zone("Europe/Prague"), 5) == []


DAYS = st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
ZONES = st.sampled_from(
    ["UTC", "Europe/Prague", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kathmandu"]
)
EXPRESSIONS = st.sampled_from(
    [
        "*/7 * * * *",
        "30 2 * * *",
        "0,30 0-3 * * *",
        "59 23 31 12 *",
        "15 1-3/2 * * 0",
        "5 0 1 */2 *",
        "0 0 */3 * 1",
    ]
)


@settings(max_examples=60, deadline=None)
@given(EXPRESSIONS, ZONES, DAYS, st.integers(0, 4))
def test_going_on_from_any_fire_gives_the_same_fires(
    text: str, zone_name: str, after: datetime, skip: int
) -> None:
    cron, zone = Cron.parse(text), parse_zone(zone_name)
    whole = next_fires(cron, after, zone, 8)
    assert next_fires(cron, whole[skip].at, zone, 8 - skip - 1) == whole[skip + 1 :]
    assert len({fire.key for fire in whole}) == 8


def random_expression(source: random.Random) -> str:
    def one(low: int, high: int) -> str:
        first, second = sorted(source.sample(range(low, high + 1), 2))
        return source.choice(
            ["*", "*", str(first), f"{first},{second}", f"{first}-{second}", f"*/{source.randint(2, 6)}"]
        )

    return " ".join([one(0, 59), one(0, 23), one(1, 28), one(1, 12), one(0, 6)])


def test_cronsim_agrees_in_utc() -> None:
    source, start = random.Random(42), datetime(2026, 1, 15, 7, 13, tzinfo=UTC)
    for text in (random_expression(source) for _ in range(150)):
        expected = list(islice(CronSim(text, start), 6))
        assert [fire.at for fire in next_fires(Cron.parse(text), start, parse_zone("UTC"), 6)] == expected, (
            text
        )


@pytest.mark.parametrize("zone_name", ["Europe/Prague", "America/New_York"])
def test_cronsim_agrees_across_changes_for_single_hours(zone_name: str) -> None:
    """Elsewhere (stepped hours, wildcards) cronsim follows other rules; the golden cases state ours."""
    source, zone = random.Random(7), parse_zone(zone_name)
    for day in (datetime(2026, 3, 7), datetime(2026, 3, 28), datetime(2026, 10, 24), datetime(2026, 10, 31)):  # noqa: DTZ001
        start = day.replace(tzinfo=zone)
        for _ in range(15):
            text = f"{source.randint(0, 59)} {source.randint(0, 23)} * * {source.choice(['*', '0', '0,1,6'])}"
            expected = [at.astimezone(UTC) for at in islice(CronSim(text, start), 4)]
            assert [fire.at for fire in next_fires(Cron.parse(text), start, zone, 4)] == expected, (
                text,
                start,
            )


def test_intervals_follow_real_time_from_their_anchor() -> None:
    every = Every.parse("45m", anchor=datetime(2026, 3, 29, 0, 10, tzinfo=UTC))
    found = next_fires(every, datetime(2026, 3, 29, 0, 10, tzinfo=UTC), parse_zone("Europe/Prague"), 3)
    assert [shown(fire) for fire in found] == ["03-29T00:55 01:55", "03-29T01:40 03:40", "03-29T02:25 04:25"]
    assert next_fires(every, every.anchor - timedelta(seconds=1), parse_zone("UTC"), 1)[0].at == every.anchor


@pytest.mark.parametrize(
    "value", ["30s", "59s", 0, "400d", "x", True, 1.5, "-5m", "5m5m", "1e5", "", "\uff11m"]
)
def test_impossible_intervals_are_refused(value: object) -> None:
    with pytest.raises(UserError):
        Every.parse(value, field="every")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30m", 1800),
        ("24h", 86400),
        ("1d12h", 129600),
        ("1d 12h", 129600),
        ("45 m", 2700),
        ("1 d 12 h", 129600),
        (90, 90),
        ("90", 90),
        ("1w", 604800),
        ("1h0m5s", 3605),
        ("0s", 0),
    ],
)
def test_durations(value: object, seconds: int) -> None:
    assert parse_duration(value) == seconds
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize(
    "name",
    [
        "Europe/Prag",
        "../../etc/passwd",
        "/etc/localtime",
        "localtime",
        "right/UTC",
        "",
        None,
        "A" * 70,
        "Europe",
    ],
)
def test_unknown_zones_are_refused(name: object) -> None:
    with pytest.raises(UserError) as caught:
        parse_zone(name)
    assert caught.value.field == "timezone"
    if name == "Europe/Prag":
        assert "did you mean Europe/Prague" in caught.value.detail

"""Fault 15 of issue 8: what was accepted made `GET definitions` a 500, one vanished zone a whole list 422.

One set of rules for API, YAML, database and notifier; whatever is stored can be read and exported.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration.api.conftest import COMPONENT, Client, refused
from tests.support.databases import Database

from orchestrator_notifier.domain.addresses import BadAddress, parse_address
from orchestrator_shared.definitions.loader import load_text
from orchestrator_shared.domain.durations import MAX_SECONDS
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.limits import MAX_PARAMETERS_DEPTH, MAX_TABLES
from orchestrator_shared.domain.mail_addresses import check_mail_address

ANY = {**COMPONENT, "parameters": {"type": "object"}}
ONE = {"component": "demo-extractor", "configuration": "one"}
OF_DAILY = "orchestrations/daily"
LONG = "x" * 63
CONSTRAINT = "subscriptions_have_mail_addresses"
TASK, DAYS = "phases.0.tasks.0", 2**31 - 1

ADDRESSES = {
    "data-team@example.com": True,
    "a@b": True,
    "o'neil+tag@xn--bcher-kva.example": True,
    f"{'a' * 64}@{LONG}.{LONG}.{LONG}.{'x' * 61}": True,
    "a@b:99": False,
    "a\x7f@b.cz": False,
    "a\u200b@b.cz": False,
    "a@b.cz\u200b": False,
    "a@b.cz\n": False,
    f"a@{'b' * 300}": False,
    f"a@{'.'.join([LONG] * 4)}x": False,
    f"{'a' * 65}@b": False,
    "a..b@c": False,
    ".a@b": False,
    "a@-b": False,
    "a@b..c": False,
    "a@b@c": False,
    "jiří@example.com": False,
    "a@bücher.example": False,
    "a b@c": False,
    '"a"@b': False,
    "a,b@c": False,
    "<a@b>": False,
}


async def exported(client: Client) -> list[dict[str, Any]]:
    """What is exported, and can be applied without a change."""
    documents: list[dict[str, Any]] = (await client.get("definitions"))["documents"]
    plan = await client.post("definitions/plan", {"documents": documents})
    assert [c for c in plan["changes"] if c["action"] != "unchanged"] == []
    return documents


def yaml_takes(address: str) -> bool:
    text = f"orchestration: a\nnotify:\n  {address!r}: [error]\n"
    return not load_text(text).problems


@pytest.mark.parametrize(("address", "good"), ADDRESSES.items(), ids=ascii)
async def test_everybody_has_one_rule_for_addresses(
    furnished: Client, database: Database, address: str, good: bool
) -> None:
    status = 200 if good else 422
    body = {"subscriptions": [{"event": "error", "address": address}]}
    await furnished.put(f"{OF_DAILY}/notifications", body, status=status)
    await exported(furnished)
    if address.isprintable() and "'" not in address:
        assert yaml_takes(address) is good
    try:
        sent = parse_address(address).addr_spec == check_mail_address(address)
    except (BadAddress, UserError):
        sent = False
    assert sent is good
    constraint = await database.fetchval(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = $1", CONSTRAINT
    )
    pattern = constraint.split("address ~ '")[1].split("'::text")[0].replace("''", "'")
    stored = await database.fetchval("SELECT $1::text ~ $2 AND length($1) <= 320", address, pattern)
    assert stored or not good


def of_task(**fields: Any) -> dict[str, Any]:
    return {"phases": [{"tasks": [{**ONE, **fields}]}]}


@refused
@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (OF_DAILY, of_task(timeout_seconds=1.5), f"{TASK}.timeout_seconds"),
        (OF_DAILY, of_task(timeout_seconds=0), f"{TASK}.timeout_seconds"),
        (OF_DAILY, of_task(attempts=True), f"{TASK}.attempts"),
        (f"{OF_DAILY}/triggers/t", {"tables": ["in.c.t"], "cool_down_seconds": DAYS}, "cool_down_seconds"),
        (f"{OF_DAILY}/schedules/s", {"every_seconds": 60, "catch_up_seconds": DAYS}, "catch_up_seconds"),
        (f"{OF_DAILY}/triggers/t", {"tables": [f"in.c.t{i}" for i in range(MAX_TABLES + 1)]}, "tables"),
    ],
)
async def test_what_could_be_saved_and_not_read_is_refused(
    shared: Client, path: str, body: Any, field: str
) -> None:
    problem = await shared.put(path, body, status=422)
    assert problem["errors"][0]["field"] == field
    await exported(shared)


async def test_the_largest_values_are_exported(furnished: Client) -> None:
    tables = [f"in.c-x.t{i:04}" for i in range(MAX_TABLES)]
    trigger = {"tables": tables, "cool_down_seconds": MAX_SECONDS, "mode": "defer"}
    await furnished.put(f"{OF_DAILY}/triggers/t", trigger, status=201)
    schedule = {"cron": "0 0 * * *", "catch_up_seconds": MAX_SECONDS}
    await furnished.put(f"{OF_DAILY}/schedules/s", schedule, status=201)
    (document,) = [each for each in await exported(furnished) if "orchestration" in each]
    assert len(document["triggers"]["t"]["tables"]) == MAX_TABLES


async def test_deep_parameters_are_refused_where_a_document_could_not_hold_them(admin: Client) -> None:
    await admin.put("/v1/components/demo-extractor", ANY, status=201)

    def nested(levels: int) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for _ in range(levels - 1):
            value = {"a": value}
        return value

    where = "configurations/demo-extractor/one"
    await admin.put(where, {"parameters": nested(MAX_PARAMETERS_DEPTH)}, status=201)
    await exported(admin)
    problem = await admin.put(where, {"parameters": nested(MAX_PARAMETERS_DEPTH + 2)}, status=422)
    assert problem["errors"][0]["field"] == "parameters"


async def test_a_vanished_zone_is_shown_with_its_schedule(furnished: Client, database: Database) -> None:
    for name in ("first", "second"):
        await furnished.put(f"{OF_DAILY}/schedules/{name}", {"cron": "0 5 * * *"}, status=201)
    await database.execute("UPDATE catalog.schedules SET timezone = 'Mars/Olympus' WHERE name = 'first'")
    first, second = (await furnished.get(f"{OF_DAILY}/schedules"))["items"]
    assert first["problem"].startswith("timezone: 'Mars/Olympus' is not a time zone")
    assert second["problem"] is None
    assert (await furnished.get(f"{OF_DAILY}/schedules/first"))["timezone"] == "Mars/Olympus"
    await furnished.get(OF_DAILY)
    documents = (await furnished.get("definitions"))["documents"]
    (document,) = [each for each in documents if "orchestration" in each]
    assert document["schedules"]["first"]["timezone"] == "Mars/Olympus"
    problem = await furnished.post("definitions/plan", {"documents": documents}, status=422)
    assert "schedules.first.timezone" in problem["errors"][0]["field"]


async def test_what_older_rules_let_in_is_read_and_exported(furnished: Client, database: Database) -> None:
    body = {"subscriptions": [{"event": "error", "address": "a@b.cz"}]}
    await furnished.put(f"{OF_DAILY}/notifications", body, status=200)
    await database.execute(
        "ALTER TABLE catalog.subscriptions DROP CONSTRAINT subscriptions_have_mail_addresses"
    )
    await database.execute("UPDATE catalog.subscriptions SET address = 'a@b:99'")
    assert (await furnished.get(OF_DAILY))["notifications"][0]["address"] == "a@b:99"
    documents = (await furnished.get("definitions"))["documents"]
    assert {"a@b:99": ["error"]} in [each.get("notify") for each in documents]


CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
WORDS = st.text(CHARACTERS, max_size=30)
NAMES = st.none() | st.text(CHARACTERS, min_size=1, max_size=200)
NUMBERS = st.integers(-(2**63), 2**64) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
PARAMETERS = st.dictionaries(WORDS.filter(lambda key: not key.startswith("#")), VALUES, max_size=4)
BOUNDS = [0, 1, 59, 60, 86_400, 604_800, MAX_SECONDS, MAX_SECONDS + 1, 2**31 - 1]
SECONDS = st.sampled_from(BOUNDS) | st.floats(0, 9)
OF_TASK = st.fixed_dictionaries({}, optional={"parameters": PARAMETERS, "timeout": st.just("1h")})
TASKS = st.fixed_dictionaries(
    {"component": st.just("demo-extractor"), "configuration": st.just("one")},
    optional={
        "name": NAMES,
        "enabled": st.booleans(),
        "continue_on_failure": st.booleans(),
        "timeout_seconds": st.none() | SECONDS,
        "attempts": st.integers(0, 21),
        "attempt_delay_seconds": SECONDS,
        "attempt_backoff": st.floats(0.5, 11),
        "retry_on": st.sampled_from(["any", "user", "internal"]),
        "parameters": OF_TASK,
    },
)
PHASES = st.fixed_dictionaries({"tasks": st.lists(TASKS, max_size=1)}, optional={"name": NAMES})
ORCHESTRATIONS = st.fixed_dictionaries(
    {"phases": st.lists(PHASES, max_size=1)},
    optional={"name": NAMES, "description": WORDS, "enabled": st.booleans()},
)
TABLES = st.sampled_from(["in.c-x.a", "in.c-x.b", "demo/in.c-x.a", "in.x", "x", "other/in.c-x.a"])
MODES = st.sampled_from(["ignore", "defer"])
TRIGGERS = st.fixed_dictionaries(
    {"tables": st.lists(TABLES, max_size=3)},
    optional={"cool_down_seconds": SECONDS, "mode": MODES, "enabled": st.booleans()},
)
SCHEDULES = st.fixed_dictionaries(
    {"cron": st.sampled_from(["0 5 * * *", "*/15 * * * 1-5", " 0  0 1 jan * ", "0 0 30 2 *", "@daily"])},
    optional={
        "timezone": st.sampled_from(["UTC", "Europe/Prague", "europe/prague", "local", "PST8PDT"]),
        "enabled": st.booleans(),
        "overlap": st.sampled_from(["one_waiting", "queue", "skip"]),
        "misfire": st.sampled_from(["fire_once", "skip", "fire_all"]),
        "catch_up_seconds": SECONDS,
    },
) | st.fixed_dictionaries({"every_seconds": SECONDS}, optional={"catch_up_seconds": SECONDS})
SUBSCRIPTIONS = st.lists(
    st.fixed_dictionaries(
        {
            "event": st.sampled_from(["error", "waiting_long", "processing_long"]),
            "address": st.sampled_from([*ADDRESSES]),
        },
        optional={"percent": st.integers(0, 10_001), "minutes": st.integers(0, 43_201)},
    ),
    max_size=3,
)
SAVES = st.one_of(
    st.tuples(
        st.just("configurations/demo-extractor/one"),
        st.fixed_dictionaries({"parameters": PARAMETERS}, optional={"name": NAMES, "description": WORDS}),
    ),
    st.tuples(st.just(OF_DAILY), ORCHESTRATIONS),
    st.tuples(st.just(f"{OF_DAILY}/triggers/t"), TRIGGERS),
    st.tuples(st.just(f"{OF_DAILY}/schedules/s"), SCHEDULES),
    st.tuples(st.just(f"{OF_DAILY}/notifications"), st.fixed_dictionaries({"subscriptions": SUBSCRIPTIONS})),
    st.tuples(
        st.just("variables/region"),
        st.fixed_dictionaries({"value": WORDS | st.just("x" * 65_536)}, optional={"secret": st.booleans()}),
    ),
)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(saves=st.lists(SAVES, min_size=4, max_size=12))
async def test_what_put_accepts_is_read_exported_and_taken_back(admin: Client, saves: list[Any]) -> None:
    await admin.put("/v1/components/demo-extractor", ANY)
    await admin.put("configurations/demo-extractor/one", {})
    await admin.put(OF_DAILY, {"phases": []})
    for path, body in saves:
        url = f"/v1/projects/demo/{path}"
        response = await admin.http.put(url, json=body)
        if response.status_code == 428:
            response = await admin.http.put(url, json=body, headers={"If-Match": "*"})
        assert response.status_code in (200, 201, 422), (path, body, response.text)
        if response.status_code < 300:
            await admin.get(path)
    await exported(admin)
    await admin.get(OF_DAILY)
    await admin.get(f"{OF_DAILY}/schedules")

"""The shape of the demo: by hand, by event, by time, and people are told of what failed."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from tests.support.smtp_sink import ReceivedMail
from tests.support.stack import Stack
from tests.support.stack_settings import ADMIN_EMAIL
from tests.support.waiting import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("stack")]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def mails_about(stack: Stack, job_id: str) -> list[ReceivedMail]:
    """Once everybody is at rest, nothing more can come."""
    await stack.at_rest()
    return [mail for mail in stack.mails.messages if job_id in mail.text]


async def test_by_hand_phases_follow_each_other_and_tasks_run_beside_each_other(told: Stack) -> None:
    run = await told.run("flights", by=told.person)
    ended = await told.ended(run)

    assert (ended["status"], ended["origin"], ended["requested_by"]) == ("success", "manual", ADMIN_EMAIL)
    phases = await told.phases(run)
    assert [[task["id"] for task in phase["tasks"]] for phase in phases] == [
        ["load/flights", "load/weather"],
        ["shape/delays"],
        ["shape/impact"],
        ["write/report"],
    ]
    jobs = [[task["job"] for task in phase["tasks"]] for phase in phases]
    assert all(job["status"] == "success" for phase in jobs for job in phase)
    first, second = jobs[0]
    assert instant(first["started_at"]) < instant(second["finished_at"])
    assert instant(second["started_at"]) < instant(first["finished_at"])
    for earlier, later in pairwise(jobs):
        assert max(instant(job["finished_at"]) for job in earlier) <= min(
            instant(job["started_at"]) for job in later
        )
    executed = told.ledger.executions(run)
    assert [execution.attempt for execution in executed] == [1] * 5
    log = await told.robot.get(f"jobs/{first['id']}/log")
    assert "".join(chunk["text"] for chunk in log["chunks"]) == "attempt 1\n"
    assert log["finished"]


async def test_by_event_the_second_starts_when_two_of_two_tables_were_updated(told: Stack) -> None:
    await told.at_rest()
    before = {run["id"] for run in await told.runs("carriers")}
    source = await told.run("flights")
    await told.ended(source)
    await told.at_rest()

    (started,) = [run for run in await told.runs("carriers") if run["id"] not in before]
    assert (started["origin"], started["status"]) == ("trigger", "success")
    impact = (await told.phases(source))[2]["tasks"][0]["job"]
    assert instant(started["started_at"]) > instant(impact["finished_at"])
    explanation = await told.explain("carriers", "both")
    assert " because 2 of 2 tables were updated (" in explanation["reasons"][0]
    assert explanation["last_fire"]["job_id"] == started["id"]
    assert not explanation["ready"]
    assert {table["table"] for table in explanation["tables"]} == {"out.c-nyc.delays", "out.c-nyc.impact"}
    assert all(table["counted"] == table["used"] for table in explanation["tables"])


async def test_one_table_twice_is_not_two_tables(told: Stack) -> None:
    await told.at_rest()
    before = await told.runs("carriers")
    for name in ("once", "again", "again"):
        await told.robot.post("table-updates", {"table": "out.c-nyc.delays", "id": f"loader-{name}"})
    tables = await told.robot.get("tables")
    await told.at_rest()

    assert await told.runs("carriers") == before
    explanation = await told.explain("carriers", "both")
    assert (explanation["ready"], explanation["missing"]) == (False, ["out.c-nyc.impact"]), tables
    await told.robot.post("table-updates", {"table": "out.c-nyc.impact", "id": "loader-other"})
    await eventually(lambda: more_runs(told, "carriers", len(before)), 30)
    await told.at_rest()
    assert len(await told.runs("carriers")) == len(before) + 1


async def more_runs(stack: Stack, orchestration: str, than: int) -> bool:
    return len(await stack.runs(orchestration)) > than


async def test_an_unattended_failure_is_told_to_its_subscribers(told: Stack) -> None:
    run = await told.run("broken")
    ended = await told.ended(run)
    received = await mails_about(told, run)

    assert (ended["status"], ended["error_kind"], ended["origin"]) == ("error", "user", "api")
    statuses = {task["id"]: task["status"] for phase in await told.phases(run) for task in phase["tasks"]}
    assert statuses == {"load/misspelled": "error", "load/beside": "success", "write/never": "not_executed"}
    (mail,) = received
    assert mail.recipients == ("data-team@example.com",)
    assert mail.subject == f"[demo] broken #{ended['number']} failed: misspelled"
    assert 'column "dep_dealy" does not exist' in mail.text


async def test_a_run_by_hand_is_mailed_only_to_the_person_who_started_it(told: Stack) -> None:
    failed = await told.run("broken", by=told.person)
    good = await told.run("flights", by=told.person)
    declined = await told.run("broken", by=told.person, notify=False)
    for run in (failed, good, declined):
        await told.ended(run)

    for run in (failed, good):
        assert [mail.recipients for mail in await mails_about(told, run)] == [(ADMIN_EMAIL,)]
    assert await mails_about(told, declined) == []


async def test_a_failure_that_may_be_ends_as_a_warning(told: Stack) -> None:
    run = await told.run("tolerant")
    ended = await told.ended(run)

    assert ended["status"] == "warning"
    phases = await told.phases(run)
    assert [phase["tasks"][0]["status"] for phase in phases] == ["error", "success"]
    (mail,) = await mails_about(told, run)
    assert "warning" in mail.subject


async def test_a_nested_failure_is_told_once_to_everybody(told: Stack) -> None:
    run = await told.run("outer")
    ended = await told.ended(run)
    nested = (await told.phases(run))[0]["tasks"][0]["job"]["id"]
    await told.at_rest()

    assert ended["status"] == "error"
    about = [mail for mail in told.mails.messages if run in mail.text or nested in mail.text]
    assert [mail.recipients[0].lower() for mail in about] == ["data-team@example.com"]


async def test_runs_of_one_orchestration_wait_for_each_other_in_order(told: Stack) -> None:
    runs = [await told.run("flights") for _ in range(3)]
    ended = [await told.ended(run) for run in runs]

    assert [run["status"] for run in ended] == ["success"] * 3
    for earlier, later in pairwise(ended):
        assert earlier["number"] < later["number"]
        assert instant(earlier["finished_at"]) <= instant(later["started_at"])
    told.ledger.check_serial()


async def test_a_terminated_run_stops_its_tasks(told: Stack) -> None:
    await told.apply("""
orchestration: endless
phases:
  - {name: Load, tasks: [{run: load/endless}]}
  - {name: Write, tasks: [{run: write/never}]}
---
configuration: load/endless
parameters: {seconds: 600}
""")
    run = await told.run("endless")
    await eventually(lambda: told.ledger.executions(run), 30)
    await told.robot.post(f"jobs/{run}/termination")
    ended = await told.ended(run)

    assert ended["status"] == "terminated"
    statuses = [phase["tasks"][0]["status"] for phase in await told.phases(run)]
    assert statuses == ["terminated", "not_executed"]
    (execution,) = told.ledger.executions(run)
    assert not execution.ended
    lines = len(told.ledger.file.read_text().splitlines())
    await told.at_rest()
    assert len(told.ledger.file.read_text().splitlines()) == lines


async def test_by_time_the_full_minute_starts_one_run(told: Stack) -> None:
    """Last, so that most of its minute has passed beside the tests above."""

    async def ended() -> dict[str, object]:
        finished = [run for run in await told.runs("minutely") if run["finished_at"]]
        assert finished
        return finished[-1]

    run = await eventually(ended, 75)
    scheduled_for = instant(str(run["scheduled_for"]))
    assert (run["status"], run["origin"]) == ("success", "schedule")
    assert (scheduled_for.second, scheduled_for.microsecond) == (0, 0)
    late = instant(str(run["started_at"])) - scheduled_for
    assert timedelta(0) <= late < timedelta(seconds=10)
    (execution,) = told.ledger.executions(str(run["id"]))
    assert execution.ended
    schedule = await told.robot.get("orchestrations/minutely/schedules/every-minute")
    fires = (await told.robot.get(f"schedules/{schedule['id']}/fires"))["items"]
    assert [fire["job_id"] for fire in fires if instant(fire["scheduled_for"]) == scheduled_for] == [
        run["id"]
    ]
    assert instant(fires[0]["scheduled_for"]) <= datetime.now(UTC)


async def test_nothing_was_dead_lettered_and_all_services_live(told: Stack) -> None:
    await told.at_rest()
    await told.drained()
    assert told.exit_codes() == {}
    assert await told.dead_letters() == []
    told.ledger.check_serial()

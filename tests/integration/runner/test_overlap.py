"""Requests that meet a busy configuration, and backfills."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from tests.integration.runner.conftest import StartRunner
from tests.support.pipelines import PROJECT, Pipelines, task, until_open
from tests.support.waiting import eventually

from orchestrator_shared.contracts.commands import BackfillFire, BackfillRequested
from orchestrator_shared.domain.statuses import Origin, OverlapPolicy

SCHEDULE = UUID(int=7)
WHEN = datetime(2026, 3, 1, tzinfo=UTC)


async def fire(pipelines: Pipelines, number: int, **fields: Any) -> UUID:
    return await pipelines.run(
        "campaigns",
        origin=Origin.SCHEDULE,
        schedule_id=SCHEDULE,
        fire_key=str(number),
        scheduled_for=WHEN + timedelta(hours=number),
        **fields,
    )


async def decisions(pipelines: Pipelines) -> dict[UUID, tuple[str, UUID]]:
    rows = await pipelines.database.fetch("SELECT job_id, decision, into_job_id FROM jobs.request_records")
    return {row["job_id"]: (row["decision"], row["into_job_id"]) for row in rows}


async def test_later_fires_merge_into_the_one_that_waits(
    pipelines: Pipelines, start_runner: StartRunner, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    await pipelines.scripts(a=until_open(gate))
    await pipelines.orchestration("campaigns", [task("a")])
    await start_runner().ready()

    first = await fire(pipelines, 0, overlap=OverlapPolicy.ONE_WAITING)
    await pipelines.in_status(first, "processing")
    second, third = [await fire(pipelines, number, overlap=OverlapPolicy.ONE_WAITING) for number in (1, 2)]
    assert await eventually(lambda: decisions(pipelines)) == {third: ("merged", second)}
    gate.touch()
    await pipelines.ended(first)
    waited = await pipelines.ended(second)

    assert await decisions(pipelines) == {third: ("merged", second)}
    assert waited["scheduled_for"] == WHEN + timedelta(hours=2), "the newest one counts"


async def test_two_skip_requests_at_once_make_one_run(
    pipelines: Pipelines, start_runner: StartRunner, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    await pipelines.scripts(a=until_open(gate))
    await pipelines.orchestration("campaigns", [task("a")])
    for runner in (start_runner(), start_runner()):
        await runner.ready()

    first, second = [await fire(pipelines, number, overlap=OverlapPolicy.SKIP) for number in range(2)]
    records = await eventually(lambda: decisions(pipelines))

    [(skipped, (decision, instead))] = records.items()
    assert (decision, {skipped, instead}) == ("skipped", {first, second})
    gate.touch()
    assert (await pipelines.ended(instead))["status"] == "success"


async def test_a_backfill_runs_oldest_first_and_takes_no_fire_in(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    await pipelines.scripts(a="pass")
    await pipelines.orchestration("campaigns", [task("a")])
    for runner in (start_runner(), start_runner()):
        await runner.ready()
    fires = [
        BackfillFire(job_id=uuid4(), fire_key=f"backfill:{day}", scheduled_for=WHEN + timedelta(days=day))
        for day in range(12)
    ]
    message = BackfillRequested(
        project=PROJECT,
        configuration="campaigns",
        origin=Origin.API,
        requested_at=WHEN,
        schedule_id=SCHEDULE,
        fires=fires,
    )

    await pipelines.publish(message, message)
    regular = await fire(pipelines, 99, overlap=OverlapPolicy.ONE_WAITING)
    ended = [await pipelines.ended(fire.job_id) for fire in fires]

    assert [row["seq"] for row in ended] == sorted(row["seq"] for row in ended)
    assert [row["scheduled_for"] for row in ended] == [fire.scheduled_for for fire in fires]
    assert (await pipelines.ended(regular))["status"] == "success"
    assert await decisions(pipelines) == {}


async def test_a_request_with_the_id_of_another_job_is_refused_visibly(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    """Issue 8, 4, in depth: it vanished as if it were a repetition. Heard twice, it is recorded once."""
    await pipelines.scripts(a="pass")
    for name in ("campaigns", "others"):
        await pipelines.orchestration(name, [task("a")])
    await start_runner().ready()

    first = await pipelines.run("campaigns")
    await pipelines.ended(first)
    for _ in range(2):
        await pipelines.run("others", job_id=first)
    later = await pipelines.run("others")
    await pipelines.ended(later)

    query = "SELECT status, error_kind, message FROM jobs.jobs WHERE configuration = 'others' AND id <> $1"
    [(status, kind, message)] = await pipelines.database.fetch(query, later)
    assert (status, kind) == ("error", "internal")
    assert "belongs to another job" in message

"""Services end in order: what was begun is finished, what it said is published, and the servers are left."""

from tests.integration.messaging.conftest import message_ids
from tests.integration.messaging.messages import run_requested
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database

from orchestrator_shared.messaging.connection import Broker
from orchestrator_shared.runtime.lifecycle import Lifecycle
from orchestrator_shared.runtime.skeleton import Skeleton, open_skeleton
from orchestrator_shared.settings import ServiceSettings


async def say_on_the_way_out(skeleton: Skeleton) -> None:
    outbox = skeleton.outbox("catalog")
    await skeleton.lifecycle.stopping.wait()
    async with outbox.work() as work:
        work.publish(run_requested())


async def fail_on_the_way_out(skeleton: Skeleton) -> None:
    await skeleton.lifecycle.stopping.wait()
    raise ValueError("lost rows")


async def test_messages_of_the_shutdown_are_published(
    database: Database, broker: BrokerVhost, connected: Broker
) -> None:
    settings = ServiceSettings(database_url=database.url_for("api"), amqp_url=broker.url)
    lifecycle = Lifecycle("api")
    async with open_skeleton(settings, lifecycle) as skeleton:
        skeleton.run("last words", say_on_the_way_out(skeleton))
        lifecycle.started = True
        readiness = await lifecycle.readiness()
        assert readiness == {"started": True, "not_stopping": True, "database": True, "broker": True}
        lifecycle.stop("test")
    assert await database.fetchval("SELECT count(*) FROM catalog.outbox") == 0
    assert len(await message_ids(connected, "runner.commands")) == 1
    assert lifecycle.failure is None


async def test_a_task_that_fails_on_the_way_out_is_a_failure(database: Database, broker: BrokerVhost) -> None:
    settings = ServiceSettings(database_url=database.url_for("api"), amqp_url=broker.url)
    lifecycle = Lifecycle("api")
    async with open_skeleton(settings, lifecycle) as skeleton:
        skeleton.run("rows", fail_on_the_way_out(skeleton))
        lifecycle.stop("test")
    assert lifecycle.failure == "the task 'rows' ended: ValueError: lost rows"

"""Subscriptions and deliveries in the database."""

from collections.abc import Collection

from orchestrator_api.notifications.rows import Delivery, DeliveryFilter, RecentTests, StoredSubscription
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.rows import columns_of
from orchestrator_shared.database.store import Store
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.domain.subscriptions import Subscription


class NotificationStore(Store):
    """Writes subscriptions; deliveries belong to the notifier and are only read."""

    queries = Queries.load(__package__, "store.sql")

    async def subscriptions(
        self, *, project: str, orchestrations: Collection[str]
    ) -> list[StoredSubscription]:
        """The subscriptions of these orchestrations."""
        return await self._many(
            StoredSubscription, "subscriptions", project=project, orchestrations=list(orchestrations)
        )

    async def save(self, *, project: str, orchestration: str, subscription: Subscription) -> None:
        """Add the subscription, or change its limits."""
        await self._run(
            "save_subscription",
            id=new_id(),
            project=project,
            orchestration=orchestration,
            event=subscription.event,
            address=subscription.address,
            percent=subscription.percent,
            minutes=subscription.minutes,
        )

    async def save_automatic(self, *, project: str, orchestration: str, address: str) -> None:
        """Subscribe the creator to errors, unless that subscription exists."""
        await self._run(
            "save_automatic_subscription",
            id=new_id(),
            project=project,
            orchestration=orchestration,
            address=address,
        )

    async def delete(self, *, project: str, orchestration: str, event: str, address: str) -> None:
        """Delete a subscription."""
        await self._run(
            "delete_subscription", project=project, orchestration=orchestration, event=event, address=address
        )

    async def delete_all(self, *, project: str, orchestration: str) -> None:
        """Delete the subscriptions of the orchestration."""
        await self._run("delete_subscriptions", project=project, orchestration=orchestration)

    async def recent_tests(self, *, project: str) -> RecentTests:
        """The test mails of the last hour."""
        found = await self._one(RecentTests, "recent_tests", project=project)
        assert found is not None, "an aggregate has one row"
        return found

    async def deliveries(self, *, project: str, wanted: DeliveryFilter) -> list[Delivery]:
        """The deliveries, newest first."""
        values = {**columns_of(wanted), "project": project}
        if wanted.status is not None:
            return await self._many(Delivery, "unsent_deliveries", **values)
        del values["status"]
        if wanted.orchestration is not None:
            return await self._many(Delivery, "deliveries_of_orchestration", **values)
        del values["orchestration"]
        return await self._many(Delivery, "deliveries", **values)

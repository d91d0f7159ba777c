"""Where the pages about notifications are."""

from orchestrator_api.web.address import BOTH, ORCHESTRATION, PROJECT, READ, SEND, Address
from orchestrator_api.web.notifications import actions, deliveries, page

NOTIFICATIONS = f"{ORCHESTRATION}/notifications"

PAGES = (
    Address("notifications", NOTIFICATIONS, page.notifications, READ),
    Address("new_notification", f"{NOTIFICATIONS}/new", actions.edit, BOTH),
    Address("notification", f"{NOTIFICATIONS}/{{address}}", actions.edit, BOTH),
    Address("remove_notification", f"{NOTIFICATIONS}/{{address}}/removal", actions.remove, SEND),
    Address("test_notification", f"{NOTIFICATIONS}/{{address}}/test", actions.test, SEND),
    Address("deliveries", f"{PROJECT}/deliveries", deliveries.deliveries, READ),
)

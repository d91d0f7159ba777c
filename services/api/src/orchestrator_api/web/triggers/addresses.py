"""Where the pages of triggers are."""

from orchestrator_api.web.address import BOTH, ORCHESTRATION, READ, SEND, Address
from orchestrator_api.web.triggers import actions, edit, now, updates, why

TRIGGER = f"{ORCHESTRATION}/triggers/{{trigger}}"
PAGES = (
    Address("new_trigger", f"{ORCHESTRATION}/new-trigger", edit.new, BOTH),
    Address("trigger_preview", f"{ORCHESTRATION}/trigger-preview", edit.parts, SEND),
    Address("trigger", TRIGGER, edit.edit, BOTH),
    Address("trigger_now", f"{TRIGGER}/now", now.show, READ),
    Address("trigger_updates", f"{TRIGGER}/updates", updates.updates, READ),
    Address("switch_trigger", f"{TRIGGER}/enabled", actions.switch, SEND),
    Address("reset_trigger", f"{TRIGGER}/reset", actions.reset, BOTH),
    Address("remove_trigger", f"{TRIGGER}/removal", actions.remove, BOTH),
    Address("why", f"{ORCHESTRATION}/why", why.why, READ),
)

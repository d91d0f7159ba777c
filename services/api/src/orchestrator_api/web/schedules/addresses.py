"""Where the pages of schedules are."""

from orchestrator_api.web.address import BOTH, ORCHESTRATION, READ, SEND, Address
from orchestrator_api.web.schedules import actions, edit, fires, preview

SCHEDULE = f"{ORCHESTRATION}/schedules/{{schedule}}"
PAGES = (
    Address("new_schedule", f"{ORCHESTRATION}/new-schedule", edit.new, BOTH),
    Address("schedule_preview", f"{ORCHESTRATION}/schedule-preview", preview.show, SEND),
    Address("schedule", SCHEDULE, edit.edit, BOTH),
    Address("schedule_fires", f"{SCHEDULE}/fires", fires.fires, READ),
    Address("switch_schedule", f"{SCHEDULE}/enabled", actions.switch, SEND),
    Address("remove_schedule", f"{SCHEDULE}/removal", actions.remove, SEND),
    Address("restore_schedule", f"{SCHEDULE}/restore", actions.restore, SEND),
)

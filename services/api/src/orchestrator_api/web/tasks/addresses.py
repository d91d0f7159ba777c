"""Where the pages about an orchestration's tasks are."""

from orchestrator_api.web.address import BOTH, ORCHESTRATION, READ, SEND, Address
from orchestrator_api.web.tasks import adding, changing, dialogs, page

TASKS = f"{ORCHESTRATION}/tasks"
PAGES = (
    Address("tasks", TASKS, page.tasks, READ),
    Address("change_tasks", f"{TASKS}/change", changing.change, SEND),
    Address("save_tasks", f"{TASKS}/save", changing.save, SEND),
    Address("discard_tasks", f"{TASKS}/discard", changing.discard, BOTH),
    Address("add_tasks", f"{TASKS}/add", adding.add, BOTH),
    Address("addable_tasks", f"{TASKS}/add/found", adding.addable, READ),
    Address("move_task", f"{TASKS}/move", dialogs.move, BOTH),
    Address("settings_task", f"{TASKS}/settings", dialogs.settings, BOTH),
    Address("more_of_task", f"{TASKS}/more", dialogs.more, READ),
    Address("group_tasks", f"{TASKS}/group", dialogs.group, READ),
)

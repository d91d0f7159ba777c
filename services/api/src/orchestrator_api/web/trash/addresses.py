"""Where the trash is."""

from orchestrator_api.web.address import BOTH, PROJECT, READ, SEND, Address
from orchestrator_api.web.trash import page

ITEM = f"{PROJECT}/trash/{{component}}/{{configuration}}"
PAGES = (
    Address("trash", f"{PROJECT}/trash", page.trash, READ),
    Address("restore_from_trash", f"{ITEM}/restore", page.restore, SEND),
    Address("purge_from_trash", f"{ITEM}/delete", page.purge, BOTH),
)

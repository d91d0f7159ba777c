"""Where the pages about dead letters are."""

from orchestrator_api.web.address import BOTH, READ, SEND, Address
from orchestrator_api.web.dead_letters import page

PAGES = (
    Address("dead_letters", "/dead-letters", page.letters, READ),
    Address("replay_dead_letter", "/dead-letters/{letter}/replay", page.replay, SEND),
    Address("drop_dead_letter", "/dead-letters/{letter}/drop", page.drop, BOTH),
)

"""Where the pages about members are."""

from orchestrator_api.web.address import BOTH, PROJECT, READ, Address
from orchestrator_api.web.members import actions, listing

MEMBERS = f"{PROJECT}/members"
PAGES = (
    Address("members", MEMBERS, listing.listing, READ),
    Address("invite_member", f"{MEMBERS}/new", actions.invite, BOTH),
    Address("change_member", f"{MEMBERS}/{{person}}", actions.change, BOTH),
    Address("remove_member", f"{MEMBERS}/{{person}}/removal", actions.remove, BOTH),
)

"""Where the pages about accounts are."""

from orchestrator_api.web.address import BOTH, READ, Address
from orchestrator_api.web.people import actions, listing

PEOPLE = "/people"
PAGES = (
    Address("people", PEOPLE, listing.listing, READ),
    Address("invite_person", f"{PEOPLE}/new", actions.invite, BOTH),
    Address(
        "revoke_administrator_token", f"{PEOPLE}/tokens/{{token}}/revocation", actions.revoke_token, BOTH
    ),
    Address("change_person", f"{PEOPLE}/{{person}}", actions.change, BOTH),
    Address("reset_person", f"{PEOPLE}/{{person}}/password", actions.reset, BOTH),
    Address("unlink_person", f"{PEOPLE}/{{person}}/unlinking", actions.unlink, BOTH),
)

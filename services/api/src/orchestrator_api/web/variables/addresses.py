"""Where the pages about variables are."""

from orchestrator_api.web.address import BOTH, PROJECT, READ, Address
from orchestrator_api.web.variables import dialogs, listing

VARIABLES = f"{PROJECT}/variables"
PAGES = (
    Address("variables", VARIABLES, listing.listing, READ),
    Address("new_variable", f"{VARIABLES}/-/new", dialogs.new, BOTH),
    Address("edit_variable", f"{VARIABLES}/{{variable}}", dialogs.edit, BOTH),
    Address("remove_variable", f"{VARIABLES}/{{variable}}/removal", dialogs.remove, BOTH),
)

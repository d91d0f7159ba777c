"""Where the pages about components are."""

from orchestrator_api.web.address import BOTH, READ, SEND, Address
from orchestrator_api.web.components import editing, page

# No id begins with a dash, so `-` stands where an id would, for what is not there yet.
COMPONENTS = "/components"
COMPONENT = f"{COMPONENTS}/{{component}}"

PAGES = (
    Address("components", COMPONENTS, page.components_page, READ),
    Address("register_component", f"{COMPONENTS}/-/new", editing.register_component, BOTH),
    Address("check_component", f"{COMPONENTS}/-/check", editing.check_component, SEND),
    Address("component", COMPONENT, page.component, READ),
    Address("edit_component", f"{COMPONENT}/edit", editing.edit_component, BOTH),
)

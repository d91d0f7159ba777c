"""Where the pages about orchestrations are."""

from orchestrator_api.web.address import BOTH, ORCHESTRATION, PROJECT, READ, SEND, Address
from orchestrator_api.web.orchestrations import actions, creating, importing, listing, page, run

PAGES = (
    Address("new_orchestration", f"{PROJECT}/new-orchestration", creating.new, BOTH),
    Address("import_definitions", f"{PROJECT}/import", importing.import_definitions, BOTH),
    Address("load_demo", f"{PROJECT}/demo", creating.load_demo, BOTH),
    Address("orchestrations", f"{PROJECT}/orchestrations", listing.orchestrations, READ),
    Address("orchestration", ORCHESTRATION, page.orchestration, READ),
    Address("switch_orchestration", f"{ORCHESTRATION}/enabled", actions.switch, SEND),
    Address("run_orchestration", f"{ORCHESTRATION}/runs/new", run.run, BOTH),
)

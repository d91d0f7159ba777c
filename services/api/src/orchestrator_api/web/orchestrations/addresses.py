"""Where the pages about orchestrations are."""

from orchestrator_api.web.address import BOTH, ORCHESTRATION, PROJECT, READ, SEND, Address
from orchestrator_api.web.orchestrations import (
    actions,
    backfilling,
    creating,
    editing,
    exporting,
    importing,
    listing,
    page,
    run,
    versions,
)

PAGES = (
    Address("new_orchestration", f"{PROJECT}/new-orchestration", creating.new, BOTH),
    Address("import_definitions", f"{PROJECT}/import", importing.import_definitions, BOTH),
    Address("load_demo", f"{PROJECT}/demo", creating.load_demo, BOTH),
    Address("orchestrations", f"{PROJECT}/orchestrations", listing.orchestrations, READ),
    Address("orchestration", ORCHESTRATION, page.orchestration, READ),
    Address("switch_orchestration", f"{ORCHESTRATION}/enabled", actions.switch, SEND),
    Address("run_orchestration", f"{ORCHESTRATION}/runs/new", run.run, BOTH),
    Address("edit_orchestration", f"{ORCHESTRATION}/edit", editing.edit, BOTH),
    Address("duplicate_orchestration", f"{ORCHESTRATION}/duplicate", editing.duplicate, BOTH),
    Address("export_orchestration", f"{ORCHESTRATION}/definition", exporting.export, READ),
    Address("backfill_orchestration", f"{ORCHESTRATION}/backfill", backfilling.backfill, BOTH),
    Address("trash_orchestration", f"{ORCHESTRATION}/trash", editing.move_to_trash, SEND),
    Address("restore_orchestration", f"{ORCHESTRATION}/restore", editing.restore, SEND),
    Address("refresh_orchestration_token", f"{ORCHESTRATION}/token", editing.refresh_token, BOTH),
    Address("versions", f"{ORCHESTRATION}/versions", versions.versions, READ),
    Address("compare_versions", f"{ORCHESTRATION}/versions/{{before}}...{{after}}", versions.compare, READ),
    Address("version", f"{ORCHESTRATION}/versions/{{version}}", versions.version, READ),
    Address("restore_version", f"{ORCHESTRATION}/versions/{{version}}/restore", versions.restore, BOTH),
)

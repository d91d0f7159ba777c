"""Where the pages about configurations of components are."""

from orchestrator_api.web.address import BOTH, PROJECT, READ, SEND, Address
from orchestrator_api.web.configurations import actions, automation, editing, listing, page, versions

# No id begins with a dash, so `-` stands where an id would, for what is not there yet.
CONFIGURATIONS = f"{PROJECT}/configurations"
COMPONENT = f"{CONFIGURATIONS}/{{component}}"
CONFIGURATION = f"{COMPONENT}/{{configuration}}"

PAGES = (
    Address("configurations", CONFIGURATIONS, listing.configurations_page, READ),
    Address("component_configurations", COMPONENT, listing.configurations_page, READ),
    Address("new_configuration", f"{CONFIGURATIONS}/-/new", actions.new_configuration, BOTH),
    Address("create_configuration", f"{COMPONENT}/-/new", editing.create_configuration, BOTH),
    Address("check_new_configuration", f"{COMPONENT}/-/check", editing.check_new_configuration, SEND),
    Address("configuration", CONFIGURATION, page.configuration, READ),
    Address("configuration_jobs", f"{CONFIGURATION}/jobs", page.configuration_jobs, READ),
    Address("configuration_versions", f"{CONFIGURATION}/versions", versions.configuration_versions, READ),
    Address(
        "compare_configuration",
        f"{CONFIGURATION}/versions/{{before}}...{{after}}",
        versions.compare_configuration,
        READ,
    ),
    Address(
        "restore_configuration_version",
        f"{CONFIGURATION}/versions/{{version}}/restore",
        versions.restore_configuration_version,
        SEND,
    ),
    Address("edit_configuration", f"{CONFIGURATION}/edit", editing.edit_configuration, BOTH),
    Address("check_configuration", f"{CONFIGURATION}/check", editing.check_configuration, SEND),
    Address("copy_configuration", f"{CONFIGURATION}/copy", actions.copy_configuration, BOTH),
    Address("trash_configuration", f"{CONFIGURATION}/trash", actions.trash_configuration, SEND),
    Address("restore_configuration", f"{CONFIGURATION}/restore", actions.restore_configuration, SEND),
    Address("run_configuration", f"{CONFIGURATION}/run", actions.run_configuration, BOTH),
    Address("automate_configuration", f"{CONFIGURATION}/automation", automation.automate_configuration, BOTH),
    Address("preview_automation", f"{CONFIGURATION}/automation/preview", automation.preview_automation, READ),
)

"""Where the pages about projects are."""

from orchestrator_api.web.address import BOTH, PROJECT, READ, Address
from orchestrator_api.web.projects import badges, listing, settings

PAGES = (
    Address("projects", "/projects", listing.projects, READ),
    Address("all_projects", "/all-projects", listing.all_projects, READ),
    Address("new_project", "/all-projects/new", listing.new, BOTH),
    Address("badge", f"{PROJECT}/badges/{{section}}", badges.badge, READ),
    Address("project_settings", f"{PROJECT}/settings", settings.settings, BOTH),
)

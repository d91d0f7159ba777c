"""Where the audit logs are."""

from orchestrator_api.web.address import PROJECT, READ, Address
from orchestrator_api.web.audit import listing

PAGES = (
    Address("audit", f"{PROJECT}/audit", listing.of_project, READ),
    Address("instance_audit", "/audit", listing.of_instance, READ),
)

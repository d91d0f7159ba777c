"""The HTTP resources, one module each."""

from fastapi import APIRouter

from orchestrator_api.access import audit_routes as audit
from orchestrator_api.access import instance_routes as instance
from orchestrator_api.access import personal_routes as personal_tokens
from orchestrator_api.access import routes as access
from orchestrator_api.catalog import component_routes as components
from orchestrator_api.catalog import routes as configurations
from orchestrator_api.catalog import version_routes as configuration_versions
from orchestrator_api.definitions import routes as definitions
from orchestrator_api.drafts import routes as drafts
from orchestrator_api.events import routes as events
from orchestrator_api.notifications import routes as notifications
from orchestrator_api.operations import callback_routes as callbacks
from orchestrator_api.operations import dead_letter_routes as dead_letters
from orchestrator_api.orchestrations import automation_routes as automation
from orchestrator_api.orchestrations import configuration_routes as configuration_overview
from orchestrator_api.orchestrations import overview_routes as overview
from orchestrator_api.orchestrations import routes as orchestrations
from orchestrator_api.orchestrations import trash_routes as trash
from orchestrator_api.orchestrations import version_routes as orchestration_versions
from orchestrator_api.people import account_routes as accounts
from orchestrator_api.people import link_routes as links
from orchestrator_api.people import routes as people
from orchestrator_api.people import session_routes as sessions
from orchestrator_api.projects import routes as projects
from orchestrator_api.projects import variable_routes as variables
from orchestrator_api.queue import routes as queue
from orchestrator_api.runs import log_routes as logs
from orchestrator_api.runs import retry_routes as retries
from orchestrator_api.runs import routes as runs
from orchestrator_api.schedules import routes as schedules
from orchestrator_api.search import routes as search
from orchestrator_api.tables import routes as tables
from orchestrator_api.triggers import routes as triggers
from orchestrator_api.web import routes as web

ROUTERS: tuple[APIRouter, ...] = (
    projects.router,
    components.router,
    configurations.router,
    configuration_versions.router,
    orchestrations.router,
    overview.router,
    configuration_overview.router,
    orchestration_versions.router,
    drafts.router,
    automation.router,
    trash.router,
    runs.router,
    logs.router,
    retries.router,
    queue.router,
    search.router,
    events.router,
    schedules.router,
    triggers.router,
    tables.router,
    variables.router,
    access.router,
    people.router,
    sessions.router,
    accounts.router,
    personal_tokens.router,
    web.router,
    links.router,
    notifications.router,
    instance.router,
    audit.router,
    definitions.router,
    dead_letters.router,
    callbacks.router,
)

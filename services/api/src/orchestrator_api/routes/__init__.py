"""The HTTP resources, one module each."""

from fastapi import APIRouter

from orchestrator_api.routes import (
    access,
    callbacks,
    configurations,
    dead_letters,
    definitions,
    instance,
    orchestrations,
    projects,
    retries,
    runs,
    schedules,
    tables,
    triggers,
)

ROUTERS: tuple[APIRouter, ...] = (
    projects.router,
    configurations.router,
    orchestrations.router,
    runs.router,
    retries.router,
    schedules.router,
    triggers.router,
    tables.router,
    access.router,
    instance.router,
    definitions.router,
    dead_letters.router,
    callbacks.router,
)

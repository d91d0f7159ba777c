"""The HTTP resources, one module each."""

from fastapi import APIRouter

from orchestrator_api.routes import configurations, orchestrations, projects, runs

ROUTERS: tuple[APIRouter, ...] = (
    projects.router,
    configurations.router,
    orchestrations.router,
    runs.router,
)

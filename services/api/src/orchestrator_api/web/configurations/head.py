"""What all pages of one configuration begin with: what it is, its last job, and how often it is used."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from orchestrator_api.catalog import components, configurations, usages
from orchestrator_api.catalog.configurations import Key, component_key
from orchestrator_api.catalog.rows import Component, Configuration
from orchestrator_api.http.session import Session
from orchestrator_api.runs import jobs
from orchestrator_api.runs.rows import LastJob
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.errors import NotFound


@dataclass(frozen=True, slots=True)
class Head:
    """The configuration, masked."""

    row: Configuration
    component: Component
    last_job: LastJob | None
    used_in: int

    @property
    def is_trashed(self) -> bool:
        return self.row.deleted_at is not None

    @property
    def schema(self) -> Any:
        """Of its parameters."""
        return self.component.definition.get("parameters") or {}


def key_of(request: Request) -> Key:
    """The configuration that the address names."""
    return component_key(request.path_params["component"], request.path_params["configuration"])


def url_of(request: Request, page: str = "configuration", **parts: object) -> str:
    """The address of one of its pages."""
    return urls_of(request)(page, **{**request.path_params, **parts})


def topic_of(key: Key) -> str:
    """What its pages are fetched again for."""
    return f"configuration:{key}"


async def head_of(session: Session, key: Key) -> Head:
    """The head of its pages; of one in the trash, too, which can be restored. Raises NotFound."""
    found = await configurations.find(session, key)
    if found is None or found.is_purged:
        found = await configurations.load(session, key)
    component = await component_of(session, key.component)
    pair = (key.component, key.id)
    last = (await jobs.last_jobs(session, [pair])).get(pair)
    used = (await usages.counts(session, [pair])).get(pair, 0)
    return Head(configurations.masked(found), component, last, used)


async def component_of(session: Session, component: str) -> Component:
    """The component; raises NotFound."""
    found = await components.find(session, component)
    if found is None:
        raise NotFound(f"there is no component {component!r}", field="component")
    return found

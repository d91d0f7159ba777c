"""A real provider of OpenID Connect, an api that knows it, and a browser."""

from collections.abc import AsyncIterator, Iterator

import pytest
from tests.integration.api.conftest import Client, RunningApi, running
from tests.integration.api.oidc_stage import (
    EVA,
    browser_at,
    with_provider,
)
from tests.support.browser import Browser
from tests.support.oidc_provider import OidcProvider, running_provider

from orchestrator_api.settings import ApiSettings


@pytest.fixture(scope="module")
def shared_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcProvider]:
    with running_provider(tmp_path_factory.mktemp("provider")) as made:
        yield made


@pytest.fixture
def provider(shared_provider: OidcProvider) -> OidcProvider:
    """Knows Eva, whatever the tests before have told it of her."""
    shared_provider.restore()
    shared_provider.person("eva", email=EVA, email_verified=True, name="Eva", groups=["data-team"])
    return shared_provider


@pytest.fixture
async def api(settings: ApiSettings, provider: OidcProvider) -> AsyncIterator[RunningApi]:
    async with running(with_provider(settings, provider)) as service:
        yield service


@pytest.fixture
async def browser(api: RunningApi, admin: Client) -> AsyncIterator[Browser]:
    async with browser_at(api) as made:
        yield made

"""Addresses of pages: slashes at their end, and the way to a form that is shown as a page."""

import httpx
import pytest
from fastapi import FastAPI

from orchestrator_api.web import addresses
from orchestrator_api.web.crumbs import way_to
from orchestrator_api.web.urls import Urls

PATHS = {each.name: each.path for each in addresses.PAGES}


@pytest.fixture(scope="module")
def apps() -> dict[str, FastAPI]:
    """With and without a path prefix."""
    made = {prefix: FastAPI(redirect_slashes=False) for prefix in ("", "/tools")}
    for prefix, app in made.items():
        addresses.install(app, is_https=False, link_keys=(), prefix=prefix)
    return made


async def answered(app: FastAPI, path: str, method: str = "GET") -> tuple[int, str | None]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        answer = await client.request(method, f"http://here{path}")
    return answer.status_code, answer.headers.get("location")


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/projects/demo/", "/projects/demo"),
        ("/projects/demo/jobs/?q=a%20b&view=all", "/projects/demo/jobs?q=a%20b&view=all"),
        ("/account/", "/account"),
        ("/projects/%5Cevil%3F/tokens/", "/projects/%5Cevil%3F/tokens"),
    ],
)
async def test_a_slash_at_the_end_leads_to_the_same_page_without_it(
    apps: dict[str, FastAPI], path: str, target: str
) -> None:
    assert await answered(apps[""], path) == (308, target)
    assert await answered(apps["/tools"], f"/tools{path}") == (308, f"/tools{target}")


@pytest.mark.parametrize(
    "path", ["//evil.example.com/", "///", "/evil/", "/v1/projects/", "//projects/demo/"]
)
async def test_only_addresses_of_pages_lead_on(apps: dict[str, FastAPI], path: str) -> None:
    assert await answered(apps[""], path) == (404, None)
    assert await answered(apps["/tools"], f"/tools{path}") == (404, None)


async def test_forms_are_not_sent_on(apps: dict[str, FastAPI]) -> None:
    assert await answered(apps[""], "/projects/demo/import/", "POST") == (405, None)


def test_the_way_to_a_form_names_the_section_and_the_thing() -> None:
    parts = {"project": "demo", "orchestration": "campaigns", "number": "42"}
    assert way_to(Urls(PATHS, "/tools"), "orchestrations", parts) == [
        ("/tools/projects/demo/orchestrations", "Orchestrations"),
        ("/tools/projects/demo/orchestrations/campaigns", "campaigns"),
        ("/tools/projects/demo/orchestrations/campaigns/runs/42", "#42"),
    ]
    about = {"project": "demo", "component": "sql", "configuration": "one"}
    assert way_to(Urls(PATHS), "configurations", about)[1:] == [
        ("/projects/demo/configurations/sql/one", "one")
    ]
    assert way_to(Urls(PATHS), "people", {"person": "x"}) == [("/people", "People")]
    assert way_to(Urls(PATHS), "", {}) == []

"""Who sees which pages: each role is offered its sections, may open them, and is refused the others."""

import re

import httpx
import pytest
from tests.integration.api.conftest import Client, RunningApi
from tests.integration.api.people import person_with_password, signed_in
from tests.support.databases import Database

from orchestrator_api.web.sections import SECTIONS

OF_ADMINS = {"tokens", "members", "audit"}
OF_PROJECT = [each.page for each in SECTIONS if not each.is_of_instance]
OF_INSTANCE = [each.page for each in SECTIONS if each.is_of_instance]
DIALOGS = ("tokens/new", "members/new")
BEYOND = ("/people", "/people/new", "/audit", "/all-projects/new", "/dead-letters")


def offered(page: str) -> list[str]:
    """The addresses in the side."""
    return re.findall(r'<a class="o-nav" href="([^"]+)"', page)


async def statuses(http: httpx.AsyncClient, paths: list[str]) -> set[int]:
    return {(await http.get(path)).status_code for path in paths}


@pytest.mark.parametrize("role", ["viewer", "editor", "admin"])
async def test_each_role_is_offered_what_it_may_open(
    api: RunningApi, furnished: Client, database: Database, role: str
) -> None:
    await person_with_password(furnished, database, "eva@example.com", role=role)
    async with signed_in(api, "eva@example.com") as client:
        http = client.http
        home = (await http.get("/projects/demo/orchestrations")).text
        links = offered(home)
        hidden = set() if role == "admin" else OF_ADMINS
        assert len(links) == len(OF_PROJECT) - len(hidden)
        assert await statuses(http, links) == {200}
        of_admins = [f"/projects/demo/{name}" for name in (*OF_ADMINS, *DIALOGS)]
        assert await statuses(http, of_admins) == ({200} if role == "admin" else {403})
        assert await statuses(http, list(BEYOND)) == {403}
        for page, who, button in (
            ("variables", ("editor", "admin"), "New variable…"),
            ("settings", ("admin",), "Save"),
        ):
            text = (await http.get(f"/projects/demo/{page}")).text
            found = re.search(rf"<(?:a|button)[^>]*>(?:<svg.*?</svg>)?{button}", text, re.DOTALL)
            assert found is not None
            assert (" disabled" in found[0]) == (role not in who), (role, page)
        assert ("You may look" in text) == (role != "admin")


async def test_administrators_are_offered_the_instance_in_and_outside_of_projects(
    api: RunningApi, furnished: Client, database: Database
) -> None:
    person = await person_with_password(furnished, database, "eva@example.com", role="viewer")
    await database.execute("UPDATE catalog.people SET is_administrator = true WHERE id = $1", person)
    async with signed_in(api, "eva@example.com") as client:
        inside = offered((await client.http.get("/projects/demo/orchestrations")).text)
        outside = offered((await client.http.get("/people")).text)
        assert len(inside) == len(SECTIONS)
        assert (len(outside), set(outside) < set(inside)) == (len(OF_INSTANCE), True)
        assert await statuses(client.http, inside) == {200}

"""A form that may have a megabyte is read for those only who may come in, and never on the event loop."""

import threading
from typing import Any

import pytest
from tests.integration.api.conftest import Client, RunningApi
from tests.integration.api.people import person_with_password, sign_in
from tests.integration.api.test_web_access_table import FORM
from tests.support.databases import Database

from orchestrator_api.access.browser_sessions import BrowserSessions, form_token
from orchestrator_api.web import forms

COOKIE = BrowserSessions().cookie_name
LARGE = "%41" * 300_000
HERE = {"Content-Type": FORM, "Sec-Fetch-Site": "same-origin", "HX-Request": "true"}


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """Who has read a form."""
    seen: list[threading.Thread] = []

    def recorded(*given: Any, **more: Any) -> Any:
        seen.append(threading.current_thread())
        return parse(*given, **more)

    parse = forms.parse_qsl
    monkeypatch.setattr(forms, "parse_qsl", recorded)
    return seen


async def test_a_large_form_is_read_beside_the_loop(
    api: RunningApi, furnished: Client, database: Database, readers: list[threading.Thread]
) -> None:
    await person_with_password(furnished, database, "eva@example.com", role="editor")
    async with api.http(None) as http:
        cookie = (await sign_in(http, "eva@example.com")).cookies[COOKIE]
        for text, is_beside in ((LARGE, True), ("a: 1", False)):
            body = f"csrf={form_token(cookie)}&yaml={text}"
            answer = await http.post("/projects/demo/import", content=body, headers=HERE)
            assert answer.status_code == 422, answer.text
            assert (readers.pop() is not threading.main_thread()) is is_beside


async def test_a_large_form_of_nobody_is_not_read(
    api: RunningApi, furnished: Client, readers: list[threading.Thread]
) -> None:
    async with api.http(None) as http:
        http.cookies.set(COOKIE, "invented")
        body = f"csrf=x&yaml={LARGE}"
        answer = await http.post("/projects/demo/import", content=body, headers=HERE)
        assert answer.status_code == 401
    assert readers == []

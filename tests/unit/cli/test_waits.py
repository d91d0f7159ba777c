"""`jobs why`."""

from typing import Any

import httpx
import pytest
from tests.support.answering import Answering

from orchestrator_cli.client import ApiClient
from orchestrator_cli.context import Context
from orchestrator_cli.main import main

WHY = "Third of 3, held by nightly-sales #411 since 07:02, expected start about 07:31 UTC."
ANSWERS: dict[str, Any] = {
    "GET jobs/j/explanation": {"sentence": WHY},
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(f"{request.method} {request.url.path.removeprefix('/v1/projects/demo/')}")
        return httpx.Response(200, json=ANSWERS[seen[-1]])

    def client(_: Context) -> ApiClient:
        return ApiClient("http://server:1", "t", transport=Answering(answer))

    monkeypatch.setattr(Context, "client", client)
    monkeypatch.setenv("ORCHESTRATOR_PROJECT", "demo")
    monkeypatch.setenv("ORCHESTRATOR_URL", "http://server:1")
    return seen


@pytest.mark.usefixtures("asked")
def test_why_prints_the_sentence_of_the_api(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", "why", "j"]) == 0
    assert capsys.readouterr().out == f"{WHY}\n"

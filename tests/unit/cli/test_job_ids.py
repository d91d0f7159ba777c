"""Runs named by orchestration and number where a job's id is taken."""

import httpx
import pytest
from tests.support.answering import Answering

from orchestrator_cli.client import ApiClient
from orchestrator_cli.commands.job_ids import job_id
from orchestrator_cli.context import Context
from orchestrator_cli.failures import BadInput

WHERE = Context(url="http://s:1", token="t", project="demo")


def client(asked: list[str]) -> ApiClient:
    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, json={"id": "the-id"})

    return ApiClient("http://s:1", "t", transport=Answering(answer))


@pytest.mark.parametrize("named", ["campaigns#42", "campaigns #42"])
def test_a_run_is_looked_up(named: str) -> None:
    asked: list[str] = []
    assert job_id(client(asked), WHERE, named) == "the-id"
    assert asked == ["/v1/projects/demo/orchestrations/campaigns/runs/42"]


def test_an_id_is_taken_as_it_is() -> None:
    asked: list[str] = []
    assert job_id(client(asked), WHERE, "0198f2a4-6c1e-7d3a-9f52-3b7d1c0e8a41") == (
        "0198f2a4-6c1e-7d3a-9f52-3b7d1c0e8a41"
    )
    assert asked == []


@pytest.mark.parametrize("named", ["#42", "campaigns#", "campaigns#x", "campaigns#4²"])
def test_anything_else_is_refused(named: str) -> None:
    with pytest.raises(BadInput, match="campaigns#42"):
        job_id(client([]), WHERE, named)

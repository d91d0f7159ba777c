"""Requests are counted by the route that took them, never by what someone has sent."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from orchestrator_api.app import create_app
from orchestrator_api.http.measuring import Measuring, Routes, part_of
from orchestrator_api.web import addresses


def counted(route: str, method: str, status: str) -> float:
    labels = {"route": route, "method": method, "status": status}
    return REGISTRY.get_sample_value("orchestrator_api_requests_total", labels) or 0.0


def timed(part: str) -> float:
    return REGISTRY.get_sample_value("orchestrator_api_request_seconds_count", {"part": part}) or 0.0


async def job(request: Request) -> Response:
    return PlainTextResponse(request.path_params["job"])


async def fails(_request: Request) -> Response:
    raise ValueError("ours")


async def stream(_request: Request) -> Response:
    async def events() -> AsyncIterator[str]:
        yield "data: x"

    return StreamingResponse(events(), media_type="text/event-stream")


@pytest.fixture
def http() -> httpx.AsyncClient:
    app = FastAPI()
    app.add_middleware(Measuring)
    app.get("/v1/measured/{job}", response_model=None)(job)
    app.add_route("/measured-page/{job}", lambda request: PlainTextResponse("page"), methods=["GET"])
    app.add_route("/measured-fault", fails)
    app.add_route("/measured-stream", stream)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


async def test_requests_are_counted_by_route_method_and_class(http: httpx.AsyncClient) -> None:
    api, page = timed("api"), timed("page")
    for name in ("one", "two"):
        assert (await http.get(f"/v1/measured/{name}")).status_code == 200
    await http.get("/measured-page/three")
    await http.request("BREW", "/measured-page/three")
    await http.get("/measured-fault")
    nowhere = counted("none", "GET", "4xx")
    await http.get("/no/such/address")
    assert counted("/v1/measured/{job}", "GET", "2xx") == 2
    assert counted("/measured-page/{job}", "GET", "2xx") == 1
    assert counted("/measured-page/{job}", "other", "4xx") == 1
    assert counted("/measured-fault", "GET", "5xx") == 1
    assert counted("none", "GET", "4xx") == nowhere + 1
    assert timed("api") == api + 2
    assert timed("page") == page + 4


async def test_streams_are_counted_but_not_timed(http: httpx.AsyncClient) -> None:
    before = timed("page")
    await http.get("/measured-stream")
    assert counted("/measured-stream", "GET", "2xx") == 1
    assert timed("page") == before


def test_every_address_of_the_product_has_its_declared_path() -> None:
    app = create_app(None)
    addresses.install(app, is_https=False, link_keys=[bytes(32)])
    routes = Routes(app)
    found = {getattr(route, "path", "") for route in app.routes}
    by_endpoint = {routes.of({"endpoint": getattr(route, "endpoint", None)}) for route in app.routes}
    assert len(found) > 200
    assert by_endpoint == found, "two addresses with one function would be counted as one"
    assert {part_of(path) for path in found} == {"api", "page", "static"}
    assert routes.of({"endpoint": object()}) == "none"

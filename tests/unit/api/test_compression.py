"""Which answers are compressed: those that are read, and never one that holds a secret."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from orchestrator_api.http.compression import MIN_BYTES, PRIVATE, Compression, accepts_gzip

TEXT = "x" * (2 * MIN_BYTES)


async def encoding(answer: Response, method: str = "GET", accepted: str = "gzip") -> str | None:
    async def route(_request: object) -> Response:
        return answer

    app = Compression(Starlette(routes=[Route("/", route, methods=["GET", "POST"])]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as http:
        got = await http.request(method, "/", headers={"Accept-Encoding": accepted})
    assert got.text.startswith("x")
    found: str | None = got.headers.get("content-encoding")
    return found


@pytest.mark.parametrize(
    "media_type", ["application/json", "application/yaml", "application/x-ndjson", "text/html"]
)
async def test_what_is_read_is_compressed(media_type: str) -> None:
    assert await encoding(Response(TEXT, media_type=media_type)) == "gzip"


async def test_a_page_that_remembers_where_one_was_is_compressed() -> None:
    visited = {"Set-Cookie": "orchestrator_visited=a!b"}
    assert await encoding(Response(TEXT, media_type="text/html", headers=visited)) == "gzip"
    answer = Response(TEXT, media_type="text/html", headers=visited)
    answer.set_cookie("orchestrator_form", "secret")
    assert await encoding(answer) is None


async def test_a_long_answer_is_compressed_as_it_comes() -> None:
    assert await encoding(StreamingResponse(iter(["x"] * 100), media_type="application/json")) == "gzip"


@pytest.mark.parametrize(
    ("answer", "method"),
    [
        pytest.param(Response(TEXT, media_type="application/json"), "POST", id="may show a secret once"),
        pytest.param(
            Response(TEXT, media_type="text/html", headers={"Set-Cookie": "a=b"}),
            "GET",
            id="form and its cookie",
        ),
        pytest.param(Response(TEXT, media_type="text/event-stream"), "GET", id="must leave at once"),
        pytest.param(Response(TEXT, 404, media_type="application/json"), "GET", id="refusal"),
        pytest.param(Response("x", media_type="application/json"), "GET", id="short"),
        pytest.param(
            Response(TEXT, media_type="application/json", headers={"Cache-Control": PRIVATE}),
            "GET",
            id="marked",
        ),
        pytest.param(
            Response(TEXT, media_type="application/json", headers={"Set-Cookie": "a=b"}), "GET", id="cookie"
        ),
    ],
)
async def test_what_is_not_compressed(answer: Response, method: str) -> None:
    assert await encoding(answer, method) is None


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("*", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("x-gzipped", False),
    ],
)
def test_whether_gzip_is_accepted(accepted: str, expected: bool) -> None:
    assert accepts_gzip(accepted) is expected

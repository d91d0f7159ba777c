"""Where a source's URL may lead, whatever names and services answer."""

import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import pytest
from tests.support.certificates import self_signed
from tests.support.http_service import HttpService, Reply, http_service

from orchestrator_components import download
from orchestrator_components.contract import UserError
from orchestrator_components.download import fetch

NAMED = "ORCHESTRATOR_INTERNAL_HOSTS"
Answers = Callable[..., None]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """What a name service tells, one answer after the other."""

    def tell(*lists: list[str]) -> None:
        left = list(lists)

        async def resolve(_host: str, _port: int) -> list[str]:
            return left.pop(0)

        monkeypatch.setattr(download, "resolve", resolve)

    return tell


async def test_a_name_is_asked_for_once_and_that_address_is_connected_to(
    answers: Answers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with http_service(lambda _: Reply(200, b"a,b\n")) as service:
        monkeypatch.setenv(NAMED, f"two.test:{service.port}")
        answers(["::1", "127.0.0.1"], ["10.0.0.1"])
        await fetch(f"http://two.test:{service.port}/x.csv?y=1", tmp_path / "x")
        assert (tmp_path / "x").read_bytes() == b"a,b\n"
        assert service.received[0].headers["host"] == f"two.test:{service.port}"
        assert service.received[0].target == "/x.csv?y=1"


async def test_a_stranger_is_not_even_asked(answers: Answers, tmp_path: Path) -> None:
    async with http_service(lambda _: Reply()) as service:
        answers(["93.184.216.34", "127.0.0.1"])
        with pytest.raises(UserError, match=r"rebind\.test is an internal address"):
            await fetch(f"http://rebind.test:{service.port}/", tmp_path / "x")
        assert service.received == []


async def test_a_host_is_named_with_its_port_or_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with http_service(lambda _: Reply(200, b"x")) as service:
        url = f"http://127.0.0.1:{service.port}/"
        for named in (f"127.0.0.1:{service.port}", "127.0.0.1"):
            monkeypatch.setenv(NAMED, named)
            await fetch(url, tmp_path / "x")
        monkeypatch.setenv(NAMED, "127.0.0.1:1")
        with pytest.raises(UserError, match="is an internal address"):
            await fetch(url, tmp_path / "x")
        monkeypatch.setenv(NAMED, "http://127.0.0.1")
        with pytest.raises(UserError, match=f"{NAMED}: 'http://127.0.0.1' is not a host"):
            await fetch(url, tmp_path / "x")
        assert len(service.received) == 2


async def test_redirects_are_judged_one_by_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    locations = {"/a": "b?c=d", "/b?c=d": "http://localhost:PORT/"}

    def redirect(port: int, target: str) -> Reply:
        return Reply(302, b"", {"Location": locations[target].replace("PORT", str(port))})

    async with http_service(lambda request: redirect(service.port, request.target)) as service:
        monkeypatch.setenv(NAMED, f"127.0.0.1:{service.port}")
        with pytest.raises(UserError, match="localhost is an internal address"):
            await fetch(f"http://127.0.0.1:{service.port}/a", tmp_path / "x")
        assert [request.target for request in service.received] == ["/a", "/b?c=d"]


async def test_tls_is_checked_against_the_name_not_the_address(
    answers: Answers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificate = self_signed(tmp_path, "service.test")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    service = HttpService(lambda _: Reply(200, b"x"))
    await service.start(server)
    trusting = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(httpx, "AsyncClient", partial(httpx.AsyncClient, verify=trusting))
    monkeypatch.setenv(NAMED, "service.test, other.test")
    try:
        answers(["127.0.0.1"], ["127.0.0.1"])
        await fetch(f"https://service.test:{service.port}/", tmp_path / "x")
        with pytest.raises(UserError, match="Hostname mismatch"):
            await fetch(f"https://other.test:{service.port}/", tmp_path / "x")
        assert len(service.received) == 1
    finally:
        await service.stop()

"""Where a source's URL may lead, whatever names and services answer."""

from pathlib import Path

import pytest
from tests.support.http_service import Reply, http_service
from tests.support.transport_conformance import Given, Seen, TransportConformance, Way

from orchestrator_components.contract import UserError
from orchestrator_components.download import fetch, open_transport
from orchestrator_shared.http_transport.transport import Limits

NAMED = "ORCHESTRATOR_INTERNAL_HOSTS"


class TestDownload(TransportConformance):
    undoes_gzip = True

    @pytest.fixture
    def way(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Way:
        async def download(url: str, given: Given) -> Seen:
            monkeypatch.setenv(NAMED, given.internal)
            transport = open_transport(
                limits=Limits(given.most_bytes),
                resolve=given.resolve,
                network=given.network,
                ssl_context=given.ssl_context,
            )
            try:
                await fetch(url, tmp_path / "x", transport=transport, most_seconds=given.seconds)
            except UserError as error:
                return Seen(trouble=str(error))
            return Seen(200, (tmp_path / "x").read_bytes())

        return download


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


async def test_errors_name_the_place_and_no_password(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    moved = Reply(302, b"", {"Location": "/b?key=s3cret"})
    answers = {"/a?key=s3cret": moved, "/b?key=s3cret": Reply(404, b"")}
    async with http_service(lambda request: answers[request.target]) as service:
        monkeypatch.setenv(NAMED, "127.0.0.1")
        url = f"http://u:s3cret@127.0.0.1:{service.port}/a?key=s3cret"
        with pytest.raises(UserError) as missing:
            await fetch(url, tmp_path / "x")
    assert str(missing.value) == f"source: {service.url}/b answered 404 Status"
    with pytest.raises(UserError) as refused:
        await fetch(url, tmp_path / "x")
    assert str(refused.value).startswith(f"source: cannot read {service.url}/a: cannot connect to 127.0.0.1")
    with pytest.raises(UserError, match=r"cannot be parsed.*percent-encoded") as unreadable:
        await fetch("http://u:s3cret/x@h/", tmp_path / "x")
    assert "s3cret" not in f"{missing.value}{refused.value}{unreadable.value}"

"""`orchestrator login` in the browser, on the real api: confirmed, used, and revoked by `logout`."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from tests.integration.api.conftest import Client, RunningApi
from tests.integration.api.test_web_sign_in import EMAIL, browser, eva, sign_in
from tests.support.browser import Browser
from tests.support.in_process_cli import InLoop

from orchestrator_cli import browser_login, client
from orchestrator_cli.commands import login
from orchestrator_cli.failures import ExitCode
from orchestrator_cli.main import main
from orchestrator_cli.profiles import read_profiles

__all__ = ["browser", "eva"]


async def test_a_login_in_the_browser(
    eva: UUID,
    browser: Browser,
    api: RunningApi,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    loop, shown = asyncio.get_running_loop(), asyncio.Queue[str]()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(login, "_is_at_terminal", lambda: True)
    monkeypatch.setattr(
        login, "_show_address", lambda address: loop.call_soon_threadsafe(shown.put_nowait, address)
    )
    monkeypatch.setattr(browser_login, "can_open_browser", lambda: False)
    async with api.http(None) as http:
        monkeypatch.setattr(client, "_connection", lambda _: InLoop(http, loop))
        running = asyncio.create_task(asyncio.to_thread(main, ["login", "--url", "http://api"]))
        parts = urlsplit(await asyncio.wait_for(shown.get(), 30))
        await confirm(browser, f"{parts.path}?{parts.query}")
        assert await asyncio.wait_for(running, 30) == ExitCode.OK
        kept = read_profiles().named("default")
        assert (kept.url, kept.project) == ("http://api", "demo")
        assert kept.token not in capsys.readouterr().err

        assert await asyncio.to_thread(main, ["whoami"]) == ExitCode.OK
        assert EMAIL in capsys.readouterr().out
        assert await asyncio.to_thread(main, ["logout"]) == ExitCode.OK
        assert "warning" not in capsys.readouterr().err
    assert read_profiles().named("default").token == ""
    async with api.http(kept.token) as revoked:
        await Client(revoked).get("/v1/me", status=401)


async def confirm(browser: Browser, path: str) -> None:
    """Sign in, confirm, and go where the browser is sent: to the command line."""
    first = await browser.get(path)
    page = await browser.get(await sign_in(browser, first.response.headers["location"]))
    answer = await browser.send(page)
    async with httpx.AsyncClient(trust_env=False, timeout=30) as own:
        assert (await own.get(answer.response.headers["location"])).status_code == 200

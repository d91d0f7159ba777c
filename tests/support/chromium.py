"""Debian's Chromium for tests of the web page, and a watch on all that a page must not do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, Request, ViewportSize, async_playwright, expect

from orchestrator_local.servers.install import BROWSER_VARIABLE, find_browser

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
PATIENCE_MS = 30_000
"""For what must come, however slow the machine is."""
expect.set_options(timeout=PATIENCE_MS)
AXE = Path(__file__).parent / "vendor/axe.min.js"
PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1440, "height": 900}
EXPECTED = (
    "ERR_INTERNET_DISCONNECTED",
    "Failed to fetch",
    "the server responded with a status of",
    "SSE reconnect failed with status 401",
)
"""What the console says of tests that take the network or the session away, or ask for what is not there."""
REPORT = "document.addEventListener('securitypolicyviolation', event => window.reportViolation("
REPORT += "`${event.violatedDirective}: ${event.blockedURI} in ${event.sourceFile}:${event.lineNumber}`))"


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser; nothing is downloaded for it."""
    found = find_browser()
    if found is None:
        pytest.fail(f"no Chromium is installed: apt-get install chromium, or set {BROWSER_VARIABLE}")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Watch:
    """What a page has done that no page may do."""

    origin: str
    faults: list[str] = field(default_factory=list)

    async def over(self, page: Page) -> None:
        """Begin to watch."""
        page.on("request", self._request)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("console", self._console)
        await page.expose_function("reportViolation", lambda text: self.faults.append(f"policy: {text}"))
        await page.add_init_script(REPORT)

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if f"{parts.scheme}://{parts.netloc}" != self.origin and parts.scheme not in ("data", "blob"):
            self.faults.append(f"third party: {request.url}")

    def _console(self, message: Any) -> None:
        if message.type == "error" and not any(text in message.text for text in EXPECTED):
            self.faults.append(f"console: {message.text}")


async def axe(page: Page, within: str = "document") -> list[str]:
    """What axe-core finds: rule, help and place."""
    if not await page.evaluate("Boolean(window.axe)"):
        # Not by a script element, which the page's policy would rightly refuse.
        await page.evaluate(AXE.read_text(encoding="utf-8"))
    found = await page.evaluate(f"axe.run({within}, {{resultTypes: ['violations']}})")
    return [
        f"{each['id']}: {each['help']} at {', '.join(node['target'][0] for node in each['nodes'][:3])}"
        for each in found["violations"]
    ]


async def overflows(page: Page) -> list[str]:
    """Elements that make the page scroll sideways; empty if it does not."""
    return list(
        await page.evaluate(
            """() => {
              const root = document.documentElement;
              if (root.scrollWidth <= root.clientWidth) return [];
              const wide = [...document.querySelectorAll("body *")].filter((each) => {
                const box = each.getBoundingClientRect();
                return box.width && box.right > root.clientWidth + 1;
              });
              return wide.slice(0, 5).map((each) => each.outerHTML.slice(0, 120));
            }"""
        )
    )

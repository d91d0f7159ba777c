"""A browser without scripts: keeps cookies, reads forms, and sends them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx


@dataclass
class Page(HTMLParser):
    """What is on a page: its first form, the text, and what is said beside fields."""

    response: httpx.Response
    action: str | None = None
    fields: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    """Texts of elements with an id: `problem`, `password-error` …"""
    text: str = ""
    _noting: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.response.text)

    def __hash__(self) -> int:
        return id(self)

    @property
    def status(self) -> int:
        return self.response.status_code

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given.get("action", "")
            assert given["method"] == "post"
        if tag == "input":
            assert self.action is not None, "an input outside a form"
            self.fields[given["name"]] = given.get("value", "")
            assert given["type"] != "password" or not given.get("value"), "a password on a page"
        self._noting = given.get("id", "") if tag in ("p", "strong", "small") else self._noting

    def handle_endtag(self, tag: str) -> None:
        if tag in ("p", "strong", "small"):
            self._noting = ""

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._noting:
            self.notes[self._noting] = self.notes.get(self._noting, "") + data


@dataclass
class Browser:
    """One person's browser on one site."""

    http: httpx.AsyncClient

    async def get(self, path: str) -> Page:
        """A page, without following redirects."""
        return Page(await self.http.get(path))

    async def send(self, page: Page, headers: Mapping[str, str] | None = None, /, **fields: str) -> Page:
        """Fill in the form of a page and send it, as a browser does from the same site."""
        assert page.action is not None, page.text
        url = page.action or page.response.url
        same = {"Sec-Fetch-Site": "same-origin", "Origin": str(self.http.base_url).rstrip("/")}
        sent = {**page.fields, **fields}
        return Page(await self.http.post(url, data=sent, headers=same if headers is None else dict(headers)))

    async def follow(self, page: Page) -> Page:
        """Where a page sends on to."""
        assert page.status == 303, (page.status, page.text)
        return await self.get(page.response.headers["location"])


@asynccontextmanager
async def browsing(url: str, **options: Any) -> AsyncIterator[Browser]:
    """A browser with a fresh cookie jar."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30, **options) as http:
        yield Browser(http)

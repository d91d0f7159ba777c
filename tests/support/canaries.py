"""Secrets that are known again wherever they come out, and where they may."""

import asyncio
import base64
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aio_pika
import httpx
from tests.support.brokers import BrokerVhost


@dataclass(frozen=True)
class Seen:
    """A text that came out somewhere."""

    where: str
    text: str


@dataclass
class Canaries:
    """One secret for each place that takes one."""

    texts: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.texts.setdefault(name, f"canary{secrets.token_hex(12)}")

    def note(self, name: str, text: str) -> str:
        """A secret that was made elsewhere."""
        self.texts[name] = text
        return text

    def found_in(self, seen: Seen) -> Iterator[tuple[str, str]]:
        """Which of them the text shows, plainly, backwards or in base64, and where."""
        for name, text in self.texts.items():
            if any(form in seen.text for form in _forms(text)):
                yield name, seen.where


def _forms(text: str) -> set[str]:
    raw = text.encode()
    # Whatever stands before it: the characters that depend on its neighbours are left out.
    shifted = {base64.b64encode(b"\0" * shift + raw).decode()[4:-4] for shift in range(3)}
    return {text, text[::-1], raw.hex(), *shifted}


class Spy:
    """Keeps every answer of the api."""

    def __init__(self) -> None:
        self.answers: list[Seen] = []

    def watch(self, client: httpx.AsyncClient) -> httpx.AsyncClient:
        client.event_hooks["response"].append(self._keep)
        return client

    async def _keep(self, response: httpx.Response) -> None:
        body = (await response.aread()).decode(errors="replace")
        where = f"answer: {response.request.method} {response.request.url.path}"
        self.answers.append(Seen(where, f"{dict(response.headers)} {body}"))


@asynccontextmanager
async def streams_of(client: httpx.AsyncClient, *paths: str) -> AsyncIterator[list[Seen]]:
    """What streams of events send from now on; kept when the block ends."""
    texts: dict[str, list[str]] = {path: [] for path in paths}
    found: list[Seen] = []

    async def follow(path: str) -> None:
        async with client.stream("GET", path, timeout=None) as response:
            assert response.status_code == 200, path
            async for text in response.aiter_text():
                texts[path].append(text)

    tasks = [asyncio.create_task(follow(path)) for path in paths]
    try:
        yield found
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        found += [Seen(f"stream: {path}", "".join(parts)) for path, parts in texts.items()]


@asynccontextmanager
async def messages_of(broker: BrokerVhost) -> AsyncIterator[list[Seen]]:
    """Every message that any of our exchanges gets, with its headers."""
    found: list[Seen] = []
    names = [name for name in broker.exchanges() if name.startswith("orchestrator.")]
    assert names
    async with asyncio.timeout(240), await aio_pika.connect(broker.url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        for name in names:
            await queue.bind(name, "#")

        async def keep(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            text = f"{message.headers} {message.routing_key} {message.body.decode(errors='replace')}"
            found.append(Seen(f"message: {message.exchange}", text))

        await queue.consume(keep, no_ack=True)
        yield found


def processes() -> list[Seen]:
    """The arguments of every process of the machine, as `ps` lists them."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                text = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            found.append(Seen("process listing", text))
    return found


def environment_of(pid: int) -> Seen:
    """What a process shows of the environment it was started with."""
    text = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
    return Seen("environment of a service", text)


def may(allowed: dict[str, str], name: str, where: str) -> bool:
    """Whether this secret may be seen there."""
    return name in allowed and re.fullmatch(allowed[name], where) is not None

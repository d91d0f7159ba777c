"""Gets the image that a container needs, and tells in the log how that goes."""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator_runner.executors.docker.engine import DockerEngine, EngineRefused
from orchestrator_runner.executors.docker.pull import PullFailed, PullProgress
from orchestrator_shared.domain.images import Image

TELL_SECONDS = 5.0
"""How often progress is written to the log at most."""
SILENT_SECONDS = 300.0
Tell = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Registries:
    """User names and passwords of registries, in the form of a file that `docker login` writes."""

    auths: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, text: str) -> "Registries":
        """Read `{"auths": {"registry.example.com": {"auth": "…"}}}`; raises ValueError."""
        try:
            auths = json.loads(text)["auths"]
            for entry in auths.values():
                _credentials(entry)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise ValueError(
                'expected what docker login writes, as in {"auths": {"registry.example.com": {"auth": "…"}}}'
            ) from None
        return cls(auths)

    def header_for(self, image: Image) -> Mapping[str, str]:
        """What the engine gets so that it can log in at the image's registry."""
        registry = image.repository.partition("/")[0]
        names = (registry, f"https://{registry}", "https://index.docker.io/v1/")
        found = next(
            (self.auths[name] for name in names[: 3 if registry == "docker.io" else 2] if name in self.auths),
            None,
        )
        if found is None:
            return {}
        user, password = _credentials(found)
        login = {"username": user, "password": password, "serveraddress": registry}
        return {"X-Registry-Auth": base64.urlsafe_b64encode(json.dumps(login).encode()).decode()}


def _credentials(entry: Mapping[str, Any]) -> tuple[str, str]:
    user, colon, password = base64.b64decode(entry["auth"], validate=True).decode().partition(":")
    if not colon:
        raise ValueError("not a user name and a password")
    return user, password


async def ensure_image(
    engine: DockerEngine, image: Image, registries: Registries, tell: Tell, now: Callable[[], float]
) -> None:
    """Pull the image unless the engine has it; raises PullFailed with the engine's words."""
    try:
        await engine.call("GET", f"/images/{image}/json")
    except EngineRefused as error:
        if error.status != 404:
            raise
    else:
        return
    await tell(f"pulling the image {image}")
    progress = PullProgress()
    query = {"fromImage": image.name, "tag": image.digest}
    told_at, told = now(), ""
    try:
        async with engine.stream(
            "POST",
            "/images/create",
            query=query,
            headers=registries.header_for(image),
            silent_seconds=SILENT_SECONDS,
        ) as stream:
            async for piece in stream.pieces():
                progress.feed(piece)
                if now() - told_at >= TELL_SECONDS and progress.text() != told:
                    told_at, told = now(), progress.text()
                    await tell(f"pulling: {told}")
    except EngineRefused as error:
        raise PullFailed(str(error)) from None
    await tell("pulled the image")

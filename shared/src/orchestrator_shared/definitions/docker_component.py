"""The `docker` section of a component: which image runs, and within which limits."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from orchestrator_shared.definitions.component_section import ComponentSection, PinnedImage, Seconds

_NETWORK = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,254}")
HIGHEST_USER = 2**31 - 2


def _network(name: str) -> str:
    if not _NETWORK.fullmatch(name):
        raise ValueError("expected the name of a network, as in bridge or none")
    if name == "host":
        raise ValueError("the network of the host itself is not allowed: name another network")
    return name


def _environment(values: dict[str, str | None]) -> dict[str, str | None]:
    for name in values:
        if not _VARIABLE.fullmatch(name):
            raise ValueError(f"{name[:80]!r} is not the name of a variable")
    return values


class DockerComponent(ComponentSection):
    """A container of its own for each attempt, with nothing of the host in it."""

    image: PinnedImage
    """`repository@sha256:…`; an administrator has to allow it for the runner."""
    command: list[str] = Field(default_factory=list, max_length=200)
    """Program and arguments, instead of those of the image; none: what the image starts by itself."""
    environment: Annotated[dict[str, str | None], AfterValidator(_environment)] = Field(default_factory=dict)
    """Name to value; null passes on the runner's own value."""
    user: int = Field(default=65532, ge=1, le=HIGHEST_USER)
    """Number of the user and group; never root."""
    memory_mb: int = Field(default=512, ge=16, le=4_000_000)
    cpus: float = Field(default=1.0, ge=0.01, le=1024)
    pids: int = Field(default=256, ge=8, le=1_000_000)
    """Most processes and threads at once."""
    network: Annotated[str, AfterValidator(_network)] = "bridge"
    """A network of the engine; `none` for no network."""
    start_timeout_seconds: Seconds = Field(default=300, validation_alias="start_timeout", ge=1, le=86_400)
    """Until the program runs, with the time to pull the image."""

    @model_validator(mode="after")
    def _names_a_program(self) -> Self:
        if self.command and not self.command[0]:
            raise ValueError("command: the program is empty")
        return self

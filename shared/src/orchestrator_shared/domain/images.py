"""Names of container images, pinned by digest: what was reviewed is what runs."""

import re
from dataclasses import dataclass

_HUB = "docker.io"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*(?::[0-9]{{1,5}})?"
_REPOSITORY = re.compile(rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
PATTERN = rf"^{_REPOSITORY.pattern}@{_DIGEST.pattern}$"
"""For schemas: what `parse_image` takes."""
MAX_LENGTH = 512
EXAMPLE = "registry.example.com/team/loader@sha256:…"


@dataclass(frozen=True, slots=True)
class Image:
    """One image of a repository; both spellings of a Docker Hub name are the same one."""

    name: str
    """The repository as it was written."""
    repository: str
    """The repository with its registry: `docker.io/library/python` for `python`."""
    digest: str

    def __str__(self) -> str:
        return f"{self.name}@{self.digest}"


def parse_image(text: str) -> Image:
    """Read `repository@sha256:…`; raises ValueError."""
    name, at, digest = text.partition("@")
    if not at:
        raise ValueError(f"has no digest; expected {EXAMPLE}")
    repository = parse_repository(name)
    if not _DIGEST.fullmatch(digest):
        raise ValueError("the digest must be sha256: and 64 hexadecimal digits in lower case")
    return Image(name, repository, digest)


def parse_repository(text: str) -> str:
    """The repository with its registry, as engines complete it; raises ValueError."""
    last = text.rpartition("/")[2]
    if ":" in last:
        raise ValueError(f"tags such as :{last.partition(':')[2][:40]} can move; expected {EXAMPLE}")
    if len(text) > MAX_LENGTH or not _REPOSITORY.fullmatch(text):
        raise ValueError(f"not the name of an image; expected {EXAMPLE}")
    registry, slash, path = text.partition("/")
    if not slash:
        return f"{_HUB}/library/{text}"
    if not (set(registry) & set(".:") or registry == "localhost"):
        return f"{_HUB}/{text}"
    registry = _HUB if registry == f"index.{_HUB}" else registry.lower()
    return f"{_HUB}/library/{path}" if registry == _HUB and "/" not in path else f"{registry}/{path}"

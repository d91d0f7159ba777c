"""Decides which container images components may use: those that an administrator named."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.images import Image, parse_image, parse_repository

SETTING = "ORCHESTRATOR_ALLOWED_IMAGES"


@dataclass(frozen=True, slots=True)
class AllowedImages:
    """Images by their digest, and repositories of which every image is allowed."""

    images: frozenset[tuple[str, str]] = frozenset()
    """Repository and digest."""
    repositories: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> "AllowedImages":
        """Read a JSON list of `repository@sha256:…` and `repository`; raises ValueError."""
        try:
            entries = json.loads(text)
        except ValueError:
            entries = None
        if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
            raise ValueError('expected a JSON list of images, as in ["registry.example.com/team/loader"]')
        return cls.of(entries)

    @classmethod
    def of(cls, entries: Iterable[str]) -> "AllowedImages":
        """The images that these entries allow; raises ValueError."""
        images, repositories = set(), set()
        for entry in entries:
            try:
                if "@" in entry:
                    image = parse_image(entry)
                    images.add((image.repository, image.digest))
                else:
                    repositories.add(parse_repository(entry))
            except ValueError as error:
                raise ValueError(f"{entry[:100]!r}: {error}") from None
        return cls(frozenset(images), frozenset(repositories))

    def allows(self, image: Image) -> bool:
        """Whether an administrator named this image or its repository."""
        return image.repository in self.repositories or (image.repository, image.digest) in self.images

    def require(self, text: str, *, field: str) -> Image:
        """The image that a component names; raises UserError with what to do if it may not be used."""
        try:
            image = parse_image(text)
        except ValueError as error:
            raise UserError(str(error), field=field) from None
        if not self.allows(image):
            raise UserError(
                f"the image {image} is not allowed: an administrator can add it to {SETTING} of the runner",
                field=field,
            )
        return image

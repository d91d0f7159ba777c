"""Ids made from names; pure."""

import re
import unicodedata

from orchestrator_api.http.models import Input, Name, Slug

MAX_ID = 64
_OTHERS = re.compile(r"[^a-z0-9]+")


class Identified(Input):
    """What a form gives a new thing."""

    id: Slug


class Named(Input):
    """What a form calls a copy."""

    name: Name | None = None


def id_of(name: str) -> str:
    """`prehled-objednavek` for Přehled objednávek; empty if nothing of the name is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _OTHERS.sub("-", plain).strip("-")[:MAX_ID].rstrip("-")

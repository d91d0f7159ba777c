"""Reads the parts of a page's address."""

from typing import Any
from uuid import UUID

from starlette.requests import Request

from orchestrator_api.http.models import MAX_INT
from orchestrator_api.http.paging import MAX_NUMBER
from orchestrator_shared.domain.errors import NotFound

MOST_DIGITS = 16
"""Enough for MAX_NUMBER."""


def id_part(request: Request, name: str, missing: str) -> UUID:
    """The id; raises NotFound with `missing`, in which the text stands for `{}`, for what is none."""
    text = request.path_params[name]
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(missing.format(text), field=name) from None


def whole_number(text: str | None, most: int = MAX_NUMBER) -> int | None:
    """A number from one on, such as that of a run or of a line; None for anything else."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        return None
    return int(text) if 1 <= int(text) <= most else None


def version_number(text: str) -> int:
    """The number of a version; raises NotFound for what is none."""
    number = whole_number(text, MAX_INT)
    if number is None:
        raise NotFound(f"there is no version {text[:20]!r}", field="version")
    return number


def orchestration_parts(request: Request) -> dict[str, Any]:
    """The project and the orchestration, for the addresses of its other pages."""
    return {name: request.path_params[name] for name in ("project", "orchestration")}

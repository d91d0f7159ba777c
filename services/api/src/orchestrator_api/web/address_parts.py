"""Reads the parts of a page's address."""

from typing import Any
from uuid import UUID

from starlette.requests import Request

from orchestrator_shared.domain.errors import NotFound


def id_part(request: Request, name: str, missing: str) -> UUID:
    """The id; raises NotFound with `missing`, in which the text stands for `{}`, for what is none."""
    text = request.path_params[name]
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(missing.format(text), field=name) from None


def orchestration_parts(request: Request) -> dict[str, Any]:
    """The project and the orchestration, for the addresses of its other pages."""
    return {name: request.path_params[name] for name in ("project", "orchestration")}

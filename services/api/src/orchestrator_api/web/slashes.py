"""Addresses with a slash at the end lead to the same ones without it."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from orchestrator_api.web.address import Address
from orchestrator_api.web.guarding import Handler
from orchestrator_api.web.urls import urls_of


def without_slash(page: Address) -> Handler:
    """The way to this page; its address is made of its parts, so it is always one of ours."""

    async def lead(request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(urls_of(request)(page.name, **request.path_params) + query, 308)

    return lead

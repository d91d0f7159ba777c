"""Shares a bucket with another project, and stops sharing it."""

import re

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.tables import service
from orchestrator_api.web import answers, entering, forms, pages
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.tables.listing import SECTION
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.errors import NotFound, UserError
from orchestrator_shared.domain.ids import SLUG

NO_SUCH = "write the id of a project, such as finance"


async def share(request: Request) -> Response:
    """Let another project select the bucket's tables in its triggers."""
    if request.method == "GET":
        async with entering.reading(request, Scope.ADMINISTER, section=SECTION) as (_, frame):
            return _form(request, frame, Fields(), Fields())
    fields = await entering.sent(request)
    bucket, other = request.path_params["bucket"], fields["shared_with"].strip()
    try:
        async with entering.changing(request, fields, Scope.ADMINISTER, section=SECTION) as (session, frame):
            if re.fullmatch(SLUG, other) is None:
                raise UserError(NO_SUCH, field="shared_with")
            await service.share(session, bucket, other)
            text = f"{bucket} is shared with {other}."
            return answers.done(request, frame, fields, text, f"bucket:{bucket}")
    except UserError as error:
        said = forms.refused(error, {"project": "shared_with"})
        return _form(request, frame, fields, said, status=422)


async def unshare(request: Request) -> Response:
    """Asks first, with what the other project loses."""
    bucket, other = request.path_params["bucket"], request.path_params["shared_with"]
    if request.method == "GET":
        async with entering.reading(request, Scope.ADMINISTER, section=SECTION) as (session, frame):
            shares = {each.shared_with: each for each in await service.shares(session, bucket)}
        if other not in shares:
            raise NotFound(f"{bucket} is not shared with {other}")
        return pages.dialog(
            request,
            "tables/unshare",
            title=f"Stop sharing {bucket} with {other}?",
            frame=frame,
            back=_bucket(request),
            bucket=bucket,
            share=shares[other],
        )
    fields = await entering.sent(request)
    async with entering.changing(request, fields, Scope.ADMINISTER, section=SECTION) as (session, frame):
        await service.unshare(session, bucket, other)
        text = f"{bucket} is no longer shared with {other}."
        return answers.done(request, frame, fields, text, f"bucket:{bucket}")


def _form(request: Request, frame: Frame, values: Fields, errors: Fields, status: int = 200) -> Response:
    bucket = request.path_params["bucket"]
    return pages.dialog(
        request,
        "tables/share",
        status,
        title=f"Share {bucket}",
        frame=frame,
        back=_bucket(request),
        bucket=bucket,
        values=values,
        errors=errors,
    )


def _bucket(request: Request) -> str:
    parts = request.path_params
    return urls_of(request)("bucket", project=parts["project"], bucket=parts["bucket"])

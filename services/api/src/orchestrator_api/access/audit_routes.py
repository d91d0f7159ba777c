"""The audit log of a project, and of the installation: by pages, or as JSON lines."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from orchestrator_api.access import audit
from orchestrator_api.access.audit_models import AuditOut
from orchestrator_api.access.audit_rows import AuditFilter, AuditRecord
from orchestrator_api.access.audit_store import Place
from orchestrator_api.access.permissions import Scope
from orchestrator_api.http.dependencies import PREFIX, READ, Call, Caller, Project
from orchestrator_api.http.gate import GatedRoute
from orchestrator_api.http.models import Instant, Page
from orchestrator_api.http.paging import Paging, Part

router = APIRouter(prefix="/v1", tags=["records"], route_class=GatedRoute)

JSON_LINES = "application/x-ndjson"
EXPORTED_AT_ONCE = 200
READ_OR_EXPORT: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            JSON_LINES: {"schema": {"type": "string", "description": "One record per line, newest first."}}
        }
    },
    **READ,
}


def _filter(
    actor: Annotated[
        str | None, Query(max_length=200, description="As in the records: `ada@example.com`, `token loader`.")
    ] = None,
    action: Annotated[str | None, Query(max_length=100, description="As in `configuration.changed`.")] = None,
    subject: Annotated[str | None, Query(max_length=300, description="As in the records.")] = None,
    request_id: Annotated[
        str | None, Query(max_length=128, description="`X-Request-Id` of a request.")
    ] = None,
    since: Annotated[Instant | None, Query(description="From this instant on.")] = None,
    until: Annotated[Instant | None, Query(description="Before this instant.")] = None,
) -> AuditFilter:
    return AuditFilter(actor, action, subject, request_id, since, until)


Wanted = Annotated[AuditFilter, Depends(_filter)]
Format = Annotated[
    Literal["json", "jsonl"] | None,
    Query(
        alias="format",
        description="`jsonl`: all records that match, one per line, whatever `limit` and `cursor` say; "
        f"the same as `Accept: {JSON_LINES}`.",
    ),
]


@router.get(
    PREFIX.removeprefix("/v1") + "/audit",
    operation_id="list_audit",
    responses=READ_OR_EXPORT,
    response_model=Page[AuditOut],
)
async def list_audit(
    call: Call, request: Request, project: Project, paging: Paging, wanted: Wanted, encoding: Format = None
) -> Page[AuditOut] | Response:
    """List every change, run request and refusal in the project, newest first (project admins only)."""
    log = Log(call, Scope.ADMINISTER, project, wanted)
    return await (log.exported() if _as_lines(request, encoding) else log.page(paging))


@router.get(
    "/audit",
    operation_id="list_instance_audit",
    responses=READ_OR_EXPORT,
    response_model=Page[AuditOut],
)
async def list_instance_audit(
    call: Call, request: Request, paging: Paging, wanted: Wanted, encoding: Format = None
) -> Page[AuditOut] | Response:
    """List changes and refusals that belong to no project, newest first (administrators only)."""
    log = Log(call, Scope.ADMIN, None, wanted)
    return await (log.exported() if _as_lines(request, encoding) else log.page(paging))


def _as_lines(request: Request, given: str | None) -> bool:
    return given == "jsonl" or (given is None and JSON_LINES in request.headers.get("accept", ""))


class Log:
    """What one caller may read of one log."""

    def __init__(self, call: Caller, scope: Scope, project: str | None, wanted: AuditFilter) -> None:
        self._call = call
        self._scope = scope
        self._project = project
        self._wanted = wanted

    async def page(self, paging: Part) -> Page[AuditOut]:
        rows = await self._read(paging.place(datetime, UUID), paging.rows)
        return Page[AuditOut].model_validate(paging.of(rows, "at", "id"))

    async def exported(self) -> StreamingResponse:
        """All records as lines; the first part is read before the answer begins: it may be a refusal."""
        first = await self._read((None, None), EXPORTED_AT_ONCE)
        return StreamingResponse(self._parts(first), media_type=JSON_LINES)

    async def _parts(self, rows: Sequence[AuditRecord]) -> AsyncIterator[bytes]:
        """Read the next part once this one is sent, with the caller's rights as they are by then."""
        while True:
            yield b"".join(AuditOut.model_validate(row).model_dump_json().encode() + b"\n" for row in rows)
            if len(rows) < EXPORTED_AT_ONCE:
                return
            rows = await self._read((rows[-1].at, rows[-1].id), EXPORTED_AT_ONCE)

    async def _read(self, place: Place, limit: int) -> list[AuditRecord]:
        async with self._call.session(self._scope, self._project) as session:
            return await audit.read(session.connection, self._project, self._wanted, place, limit)

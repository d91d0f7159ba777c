"""An orchestration as a file of definitions, to keep in git or to apply to another project."""

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.definitions import exports
from orchestrator_api.web import entering
from orchestrator_shared.definitions.yaml_text import to_yaml


async def export(request: Request) -> Response:
    """Downloads it: phases, schedules, triggers and who is notified; secrets are masked."""
    name = request.path_params["orchestration"]
    async with entering.reading(request, Scope.READ) as (session, _):
        document = await exports.of_orchestration(session, name)
        text = await session.offload.run(to_yaml, [document])
    headers = {
        "content-disposition": f'attachment; filename="{name}.yaml"',
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    return Response(text, media_type="application/yaml", headers=headers)

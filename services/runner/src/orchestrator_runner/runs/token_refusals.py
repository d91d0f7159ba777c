"""What a job or run is told that its orchestration's token does not allow to start."""

from orchestrator_shared.domain.errors import UserError


def check_token(refusal: str | None, component: str) -> None:
    """Raise UserError with the reason and the way out; `refusal` comes with the row of the job."""
    if refusal == "revoked":
        raise UserError(
            "the token of the orchestration was revoked: restore the orchestration, or refresh its token "
            "(POST …/orchestrations/{orchestration}/token/refresh)"
        )
    if refusal == "component":
        raise UserError(
            f"the token of the orchestration may no longer run the component {component!r}: ask an "
            "administrator to add it (PUT …/orchestrations/{orchestration}/token)"
        )

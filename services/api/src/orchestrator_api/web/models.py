"""The exchange of a confirmed login for a token."""

from pydantic import Field

from orchestrator_api.http.models import Input
from orchestrator_api.web.cli_codes import MAX_CHARACTERS, VERIFIER


class CliLoginIn(Input):
    """The code from the browser, and the proof of having asked for it."""

    code: str = Field(min_length=1, max_length=MAX_CHARACTERS, description="Works once, for a minute.")
    verifier: str = Field(
        pattern=VERIFIER, description="The secret whose SHA-256 the browser sent as `challenge` (RFC 7636)."
    )

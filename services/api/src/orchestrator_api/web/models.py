"""The exchange of a confirmed login for a token."""

from pydantic import Field

from orchestrator_api.http.models import Input, example
from orchestrator_api.web.cli_codes import MAX_CHARACTERS, VERIFIER


class CliLoginIn(Input):
    """The code from the browser, and the proof of having asked for it."""

    model_config = example(
        {
            "code": "the code that the browser brought back",
            "verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        }
    )

    code: str = Field(min_length=1, max_length=MAX_CHARACTERS, description="Works once, for a minute.")
    verifier: str = Field(
        pattern=VERIFIER, description="The secret whose SHA-256 the browser sent as `challenge` (RFC 7636)."
    )

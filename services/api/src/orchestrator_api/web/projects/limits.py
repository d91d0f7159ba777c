"""The limit of parallel jobs, as a form has it. Pure."""

from orchestrator_api.web.pages import Fields
from orchestrator_shared.domain.errors import UserError


def limit_of(fields: Fields) -> int | None:
    """The limit; None without one. Raises UserError for what is no number."""
    text = fields["parallel_limit"].strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise UserError(
            "expected a whole number from 1 up; leave it empty for no limit", field="parallel_limit"
        )
    return int(text)

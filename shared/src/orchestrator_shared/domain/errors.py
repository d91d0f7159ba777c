"""Errors that carry whose fault they are and the way out."""


class OrchestratorError(Exception):
    """Base of every error this project raises on purpose."""


class UserError(OrchestratorError):
    """Input cannot be used. `field` is a dotted path into it, `detail` says what to do."""

    def __init__(self, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail if field is None else f"{field}: {detail}")
        self.detail = detail
        self.field = field


class NotFound(UserError):
    """What was named does not exist, or the caller may not know that it does."""


class Conflict(UserError):
    """The request contradicts the present state: refused, nothing changed."""


class MessageFault(OrchestratorError):
    """The message is at fault (unparsable, unknown version, contradicts itself): dead-letter it at once."""


class Unavailable(OrchestratorError):
    """A server of ours does not answer: keep the message, retry in place with back-off."""

"""What a link sent to a person is for."""

from enum import StrEnum


class LinkPurpose(StrEnum):
    """Every link sets a password; the purpose decides what its mail and its page say."""

    INVITE = "invite"
    RESET = "reset"
    FIRST = "first"
    """The first administrator's, printed when the api starts for the first time."""

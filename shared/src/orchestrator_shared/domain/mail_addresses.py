"""What a mail address is: the one rule of the API, of YAML, of the database and of the notifier."""

import re

from orchestrator_shared.domain.errors import UserError

MAX_CHARACTERS = 320
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
PATTERN = rf"^{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*$"
"""Understood alike by Python, by pydantic and by PostgreSQL, whose CHECK repeats it."""
_MAIL = re.compile(PATTERN)
_MAX_LOCAL, _MAX_DOMAIN = 64, 253
LENGTHS = f"^[^@]{{1,{_MAX_LOCAL}}}@[^@]{{1,{_MAX_DOMAIN}}}$"
"""For descriptions: what else holds for an address."""


def check_mail_address(text: str, *, field: str | None = None) -> str:
    """One plain mailbox; raises UserError naming `field`."""
    local, _, domain = text.rpartition("@")
    if len(local) > _MAX_LOCAL or len(domain) > _MAX_DOMAIN or not _MAIL.fullmatch(text):
        raise UserError(
            f"{text[:100]!r} is not a mail address: write one as in data-team@example.com, a domain with "
            "other letters in its ASCII form (xn--…)",
            field=field,
        )
    if "=?" in local:  # to mail programs the beginning of an encoded word, which could hold anything
        raise UserError(f'{text[:100]!r} contains "=?", which is not allowed in an address', field=field)
    return text

"""Mail addresses: one mailbox each, nothing that could become a second recipient or header."""

import re
from dataclasses import dataclass
from email.headerregistry import Address
from email.utils import getaddresses

MAX_CHARACTERS = 320
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\\x00-\x1f\x7f-\x9f]+@[^\s@<>,;:\"()\[\]\\\x00-\x1f\x7f-\x9f]+")


class BadAddress(ValueError):
    """No mail can ever be sent there."""


def parse_address(text: str) -> Address:
    """One plain mailbox; raises BadAddress."""
    if len(text) > MAX_CHARACTERS or not _ADDRESS.fullmatch(text):
        raise BadAddress("is no mail address")
    user, _, domain = text.rpartition("@")
    try:
        return Address(username=user, domain=domain.encode("idna").decode())
    except UnicodeError as error:
        raise BadAddress("its domain is no domain name") from error


@dataclass(frozen=True, slots=True)
class Sender:
    """Who our mails come from; its domain is that of our message ids."""

    address: Address

    @classmethod
    def parse(cls, text: str) -> "Sender":
        """Read `name@example.com` or `A Name <name@example.com>`."""
        found = getaddresses([text])
        if len(found) != 1 or any(ord(character) < 32 for character in text):
            raise ValueError("expected one address in one line")
        ((name, spec),) = found
        try:
            plain = parse_address(spec)
        except BadAddress as error:
            raise ValueError("expected an address such as Orchestrator <orchestrator@example.com>") from error
        return cls(Address(display_name=name or "Orchestrator", username=plain.username, domain=plain.domain))

    @property
    def domain(self) -> str:
        """In ASCII, for message ids."""
        return self.address.domain

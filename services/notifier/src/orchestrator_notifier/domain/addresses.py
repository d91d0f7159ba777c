"""Mail addresses: one mailbox each, nothing that could become a second recipient or header."""

from dataclasses import dataclass
from email.headerregistry import Address
from email.utils import getaddresses

from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.mail_addresses import check_mail_address


class BadAddress(ValueError):
    """The address can never receive mail."""


def parse_address(text: str) -> Address:
    """One plain mailbox, by the rule of everybody who saves one; raises BadAddress.

    A domain in other letters is written in its ASCII form: some were saved before that was asked for.
    """
    user, _, domain = text.rpartition("@")
    try:
        plain = check_mail_address(f"{user}@{domain.encode('idna').decode()}")
    except UnicodeError as error:
        raise BadAddress("its domain is not a domain name") from error
    except UserError as error:
        raise BadAddress(error.detail) from error
    return Address(username=user, domain=plain.rpartition("@")[2])


@dataclass(frozen=True, slots=True)
class Sender:
    """The sender of our mails; its domain is also used for message ids."""

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

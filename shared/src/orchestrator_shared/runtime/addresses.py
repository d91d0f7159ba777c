"""Who sent a request that came through proxies."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """Proxies whose `X-Forwarded-For` is trusted; without any, the peer is the sender."""

    networks: tuple[Network, ...] = ()

    def trusts(self, address: str) -> bool:
        """Whether the address is one of a trusted proxy."""
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self.networks)

    def sender(self, peer: str, forwarded: Sequence[str]) -> str:
        """The last address that is not a trusted proxy's: anyone could have written those before it."""
        chain = [part.strip() for line in forwarded for part in line.split(",")]
        sender = peer
        while chain and self.trusts(sender) and _is_address(chain[-1]):
            sender = chain.pop()
        return sender


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True

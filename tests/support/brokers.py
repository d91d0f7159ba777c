"""A virtual host of its own for a test, made and dropped through the broker's HTTP API in milliseconds."""

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import httpx

from tests.support.servers import RabbitAddress

ALL = {"configure": ".*", "write": ".*", "read": ".*"}


@dataclass(frozen=True)
class BrokerVhost:
    """One virtual host; `url` is an administrator's."""

    vhost: str
    url: str
    admin: httpx.Client

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 5672

    def url_for(self, user: str, password: str) -> str:
        parts = urlsplit(self.url)
        credentials = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return urlunsplit(parts._replace(netloc=f"{credentials}@{parts.hostname}:{parts.port}"))

    def connections(self) -> list[str]:
        """The names of the client connections of this virtual host, as the broker sees them now."""
        # Without statistics the broker answers at once; with them a connection is listed seconds later.
        query = {"disable_stats": "true", "enable_queue_totals": "true"}
        found = _checked(self.admin.get("/api/connections", params=query)).json()
        return [each["name"] for each in found if each["vhost"] == self.vhost]

    def close_connections(self) -> int:
        """End all client connections from the server's side; says how many there were."""
        names = self.connections()
        for name in names:
            self.admin.delete(f"/api/connections/{quote(name, safe='')}")
        return len(names)

    def queues(self) -> dict[str, dict[str, Any]]:
        """Queues by name, with the arguments they were declared with and their numbers of messages."""
        query = {"disable_stats": "true", "enable_queue_totals": "true"}
        found = _checked(self.admin.get(f"/api/queues/{quote(self.vhost, safe='')}", params=query)).json()
        return {queue["name"]: queue for queue in found}

    def grant(self, user: str, password: str, *, configure: str, write: str, read: str) -> str:
        """Make a user with these permissions here, and return its URL."""
        _checked(self.admin.put(f"/api/users/{quote(user, safe='')}", json={"password": password, "tags": ""}))
        permissions = {"configure": configure, "write": write, "read": read}
        _permit(self.admin, self.vhost, user, permissions)
        return self.url_for(user, password)


@contextlib.contextmanager
def fresh_vhost(address: RabbitAddress) -> Iterator[BrokerVhost]:
    vhost = f"test-{secrets.token_hex(6)}"
    user = urlsplit(address.url).username or ""
    with httpx.Client(base_url=address.management_url, timeout=20, trust_env=False) as admin:
        _checked(admin.put(f"/api/vhosts/{vhost}"))
        try:
            _permit(admin, vhost, user, ALL)
            url = urlunsplit(urlsplit(address.url)._replace(path=f"/{vhost}"))
            yield BrokerVhost(vhost, url, admin)
        finally:
            admin.delete(f"/api/vhosts/{vhost}")


def _permit(admin: httpx.Client, vhost: str, user: str, permissions: dict[str, str]) -> None:
    path = f"/api/permissions/{quote(vhost, safe='')}/{quote(user, safe='')}"
    _checked(admin.put(path, json=permissions))


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_error:
        raise RuntimeError(f"the broker answered {response.status_code} to {response.request.url.path}")
    return response

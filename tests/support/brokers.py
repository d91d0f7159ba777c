"""A virtual host of its own for a test, made and dropped through the broker's HTTP API in milliseconds."""

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import httpx
from tests.support.servers import RabbitAddress

EVERYTHING = {"configure": ".*", "write": ".*", "read": ".*"}
# Without statistics the broker answers from what is so now; with them it is seconds behind.
AT_ONCE = {"disable_stats": "true", "enable_queue_totals": "true"}


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

    def connections(self) -> list[str]:
        """The users of the client connections of this virtual host, as the broker sees them now."""
        found = _checked(self.admin.get("/api/connections", params=AT_ONCE)).json()
        return [each["user"] for each in found if each["vhost"] == self.vhost]

    def close_connections(self) -> int:
        """End all client connections from the server's side; says how many there were."""
        users = self.connections()
        for user in set(users):
            # By user, not by name: a connection can be named only seconds after it was opened.
            self.admin.delete(f"/api/connections/username/{quote(user, safe='')}")
        return len(users)

    def queues(self) -> dict[str, dict[str, Any]]:
        """Queues by name, with the arguments they were declared with and their numbers of messages."""
        path = f"/api/queues/{quote(self.vhost, safe='')}"
        found = _checked(self.admin.get(path, params=AT_ONCE)).json()
        return {queue["name"]: queue for queue in found}

    def exchanges(self) -> list[str]:
        """The names of all exchanges."""
        found = _checked(
            self.admin.get(f"/api/exchanges/{quote(self.vhost, safe='')}", params=AT_ONCE)
        ).json()
        return [exchange["name"] for exchange in found]

    def purge(self) -> None:
        """Empty all queues."""
        for name in self.queues():
            self.admin.delete(f"/api/queues/{quote(self.vhost, safe='')}/{quote(name, safe='')}/contents")

    def grant(self, name: str, *, configure: str, write: str, read: str) -> str:
        """Make a user with these permissions, in this virtual host alone, and return its URL."""
        permissions = {"configure": configure, "write": write, "read": read}
        return _url(self.url, self.vhost, *_add_user(self.admin, self.vhost, name, "", permissions))


@contextlib.contextmanager
def fresh_vhost(address: RabbitAddress) -> Iterator[BrokerVhost]:
    vhost = f"test-{secrets.token_hex(6)}"
    # verify=False: to load the authorities' certificates takes 20 ms, and this is plain HTTP
    with httpx.Client(base_url=address.management_url, timeout=20, trust_env=False, verify=False) as admin:
        _checked(admin.put(f"/api/vhosts/{vhost}"))
        try:
            user, password = _add_user(admin, vhost, "admin", "administrator", EVERYTHING)
            yield BrokerVhost(vhost, _url(address.url, vhost, user, password), admin)
        finally:
            names = [each["name"] for each in _checked(admin.get("/api/users")).json()]
            for name in names:
                if name.startswith(f"{vhost}-"):
                    admin.delete(f"/api/users/{name}")
            admin.delete(f"/api/vhosts/{vhost}")


def _add_user(
    admin: httpx.Client, vhost: str, name: str, tags: str, permissions: dict[str, str]
) -> tuple[str, str]:
    """Users are the whole broker's: those of a test carry the name of its virtual host."""
    user, password = f"{vhost}-{name}", secrets.token_hex(8)
    _checked(admin.put(f"/api/users/{user}", json={"password": password, "tags": tags}))
    _checked(admin.put(f"/api/permissions/{vhost}/{user}", json=permissions))
    return user, password


def _url(url: str, vhost: str, user: str, password: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(
        parts._replace(netloc=f"{user}:{password}@{parts.hostname}:{parts.port}", path=f"/{vhost}")
    )


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_error:
        raise RuntimeError(f"the broker answered {response.status_code} to {response.request.url.path}")
    return response

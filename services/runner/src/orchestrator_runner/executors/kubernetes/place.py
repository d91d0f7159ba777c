"""Where the cluster's API is, and what the runner shows to be let in."""

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from orchestrator_shared.domain.internal_hosts import InternalHosts
from orchestrator_shared.http_transport.address import Address, default_port

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds the token and the certificate authority of its cluster."""
NAMESPACE_SETTING = "ORCHESTRATOR_KUBERNETES_NAMESPACE"
_IN_CLUSTER = "https://kubernetes.default.svc"


@dataclass(frozen=True, slots=True)
class Place:
    """One namespace of one cluster."""

    namespace: str
    url: str = _IN_CLUSTER
    token_file: Path | None = SERVICE_ACCOUNT / "token"
    ca_file: Path | None = SERVICE_ACCOUNT / "ca.crt"

    @classmethod
    def of(cls, namespace: str, url: str | None, token_file: Path | None, ca_file: Path | None) -> "Place":
        """With the pod's own service account for what is not given."""
        return cls(
            namespace,
            url or _own_cluster(os.environ),
            token_file or SERVICE_ACCOUNT / "token",
            ca_file or SERVICE_ACCOUNT / "ca.crt",
        )

    def address(self, target: str) -> Address:
        """Where a request with this path and query goes."""
        parts = urlsplit(self.url)
        port = parts.port or default_port(parts.scheme)
        return Address(parts.scheme, parts.hostname or "", port, parts.path.rstrip("/") + target)

    def internal_hosts(self) -> InternalHosts:
        """The API is the only host that this client may connect to."""
        address = self.address("")
        return InternalHosts(frozenset({(address.host.lower(), address.port)}))

    def ssl_context(self) -> ssl.SSLContext | None:
        """Trusts the cluster's own authority; None without TLS."""
        if self.address("").scheme != "https":
            return None
        return ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)

    def authorization(self) -> tuple[tuple[str, str], ...]:
        """The header with the token; read anew each time, because the cluster replaces the file hourly."""
        if self.token_file is None:
            return ()
        return (("Authorization", f"Bearer {self.token_file.read_text().strip()}"),)


def _own_cluster(environment: Mapping[str, str]) -> str:
    host = environment.get("KUBERNETES_SERVICE_HOST")
    if not host:
        return _IN_CLUSTER
    port = environment.get("KUBERNETES_SERVICE_PORT_HTTPS") or environment.get("KUBERNETES_SERVICE_PORT")
    return f"https://{f'[{host}]' if ':' in host else host}:{port or 443}"

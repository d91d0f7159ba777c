"""The database roles of the services and of what watches them; made here, or else by a DBA."""

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import asyncpg

from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.templates import quote_identifier, quote_literal, render
from orchestrator_shared.domain.errors import OrchestratorError

_ITERATIONS = 4096
GRAFANA, EXPORTER = "grafana", "exporter"
_OPTIONAL = {
    GRAFANA: "-- Only for dashboards in Grafana; leave it out if you have none.",
    EXPORTER: "-- Only for the metrics of PostgreSQL itself; leave it out if you have no exporter.",
}
_CREATIONS = {GRAFANA: "create_reader", EXPORTER: "create_monitor"}


class RolesError(OrchestratorError):
    """The roles cannot be made; the text says what to do instead."""


@dataclass(frozen=True, slots=True)
class Roles:
    """The role name of each service. Roles are cluster-wide: tests and second installations use a prefix."""

    api: str
    scheduler: str
    trigger_watcher: str
    runner: str
    notifier: str
    grafana: str
    """Optional on the server: for dashboards, it reads what the schema `reports` shows."""
    exporter: str
    """Optional on the server: it reads PostgreSQL's statistics, and no data."""

    @classmethod
    def prefixed(cls, prefix: str = "orchestrator_") -> "Roles":
        """`orchestrator_api`, `orchestrator_scheduler` and so on."""
        services = ("api", "scheduler", "trigger_watcher", "runner", "notifier", *_OPTIONAL)
        return cls(**{service: prefix + service for service in services})

    def by_service(self) -> dict[str, str]:
        """Service name to role name."""
        return {service: role for service, role in asdict(self).items() if service not in _OPTIONAL}

    def by_name(self) -> dict[str, str]:
        """As `by_service`, and the optional ones."""
        return asdict(self)

    def identifiers(self) -> dict[str, str]:
        """Name of `by_name` to quoted role name, for templates."""
        return {service: quote_identifier(role) for service, role in self.by_name().items()}


async def create_roles(connection: asyncpg.Connection, roles: Roles, passwords: Mapping[str, str]) -> None:
    """Create the roles, or set the passwords of those that exist; `passwords` is by service, as `Roles`.

    An optional role is created only if there is a password for it.
    """
    queries = Queries.load("orchestrator_shared.database", "roles.sql")
    by_service = roles.by_service()
    missing = [service for service in by_service if not passwords.get(service)]
    if missing:
        raise RolesError(f"no password for {', '.join(missing)}")
    by_service |= {each: role for each, role in optional(roles).items() if passwords.get(each)}
    existing = {
        row["rolname"]: row["rolsuper"]
        for row in await connection.fetch(queries["find_roles"], list(by_service.values()))
    }
    if supers := [role for role, is_super in existing.items() if is_super]:
        raise RolesError(
            f"the role {supers[0]} exists and is a superuser: "
            "choose another ORCHESTRATOR_DATABASE_ROLE_PREFIX"
        )
    try:
        async with connection.transaction():
            for service, role in by_service.items():
                template = queries["change_password" if role in existing else _creation(service)]
                password = quote_literal(scram_verifier(passwords[service]))
                values = {"role": quote_identifier(role), "password": password}
                await connection.execute(render(template, values))
    except asyncpg.InsufficientPrivilegeError as error:
        raise RolesError(
            "this database user may not create roles. Let a DBA run the SQL that "
            "`orchestrator db roles --print` prints, "
            "or set ORCHESTRATOR_DATABASE_ROLES=single to use one role for all services"
        ) from error


def _creation(service: str) -> str:
    return _CREATIONS.get(service, "create_role")


def optional(roles: Roles) -> dict[str, str]:
    """The roles of what watches the services, by name; an installation works without them."""
    return {each: getattr(roles, each) for each in _OPTIONAL}


def roles_sql(roles: Roles, *, database: str | None = None) -> str:
    """The SQL for a DBA to run where `create_roles` is not allowed; the DBA chooses the passwords."""
    queries = Queries.load("orchestrator_shared.database", "roles.sql")
    lines = ["-- Run as a role that may create roles; choose the passwords first."]
    for service, role in roles.by_name().items():
        if service in _OPTIONAL:
            lines.append(_OPTIONAL[service])
        values = {"role": quote_identifier(role), "password": quote_literal(f"choose-one-for-{service}")}
        lines.append(render(queries[_creation(service)], values))
        if database is not None:
            values["database"] = quote_identifier(database)
            lines.append(render(queries["allow_connect"], values))
    return "\n".join(lines) + "\n"


def scram_verifier(password: str, *, salt: bytes | None = None) -> str:
    """What PostgreSQL stores for a password (RFC 5803); sent instead of it: no server log shows it."""
    if not password.isascii() or not password.isprintable():
        raise RolesError("use printable ASCII characters in passwords of database roles")
    salt = os.urandom(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(part).decode() for part in (salt, stored_key, server_key)]
    return f"SCRAM-SHA-256${_ITERATIONS}:{encoded[0]}${encoded[1]}:{encoded[2]}"

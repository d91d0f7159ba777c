"""Which processes make up a local stack, and the environment of each."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from orchestrator_local.stack.keys import Keys
from orchestrator_local.stack.layout import Layout

MAIL_SINK = "mail-sink"
API = "api"
MODULES = {
    "api": "orchestrator_api",
    "scheduler": "orchestrator_scheduler",
    "trigger-watcher": "orchestrator_trigger_watcher",
    "runner": "orchestrator_runner",
    "notifier": "orchestrator_notifier",
}
ADMIN_EMAIL = "admin@example.com"
MAIL_FROM = "orchestrator@example.com"
ALLOWED_COMMANDS_VARIABLE = "ORCHESTRATOR_ALLOWED_COMMANDS"
ENCRYPTION_VARIABLE = "ORCHESTRATOR_ENCRYPTION_KEYS"
ENCRYPTING = ("api", "runner")
"""The services that store or use secrets; only they get the key."""
LINK_VARIABLE = "ORCHESTRATOR_LINK_KEY"
LINKING = ("api", "notifier")
"""The services that write links for people; only they get the key that signs them."""
HARMLESS_COMMANDS = [["echo"], ["sleep"], ["true"], ["false"], ["date"], ["ls"], ["cat"]]
# A lease of a few seconds, so that a takeover can be watched; clusters use the longer defaults.
LEASE_SECONDS, HEARTBEAT_SECONDS = 6, 2
PASSED_ON = (
    "ORCHESTRATOR_LOG_LEVEL",
    "ORCHESTRATOR_LOG_FORMAT",
    "ORCHESTRATOR_RUNNER_SLOTS",
    "ORCHESTRATOR_INTERNAL_HOSTS",
    "ORCHESTRATOR_TASK_UIDS",
)


@dataclass(frozen=True, repr=False)
class Servers:
    """The servers' URLs; `database` logs in as the owner of everything, `warehouse` in its own role."""

    database: str
    amqp: str
    warehouse: str


@dataclass(frozen=True, repr=False)
class ProcessPlan:
    """One process to keep alive: how to start it, and where to check that it is ready."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    port: int
    has_http: bool = True


def process_names(runners: int) -> list[str]:
    services = [name for name in MODULES if name != "runner"]
    return [MAIL_SINK, *services, *(runner_name(number) for number in range(1, runners + 1))]


def runner_name(number: int) -> str:
    return "runner" if number == 1 else f"runner-{number}"


def plans(
    layout: Layout, keys: Keys, servers: Servers, ports: Mapping[str, int], *, role_prefix: str
) -> list[ProcessPlan]:
    """The processes in start order."""
    made = []
    for name, port in ports.items():
        if name == MAIL_SINK:
            argv = (sys.executable, "-m", "orchestrator_local.stack.mail_sink", str(port), str(layout.mails))
            made.append(ProcessPlan(name, argv, base_environment(os.environ), port, has_http=False))
            continue
        service = "runner" if name.startswith("runner") else name
        environment = {
            **base_environment(os.environ),
            **_shared(keys, servers, service, port, role_prefix),
            **_own(layout, keys, service, name, ports),
        }
        made.append(ProcessPlan(name, (sys.executable, "-m", MODULES[service]), environment, port))
    return made


def base_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment, without settings meant for another installation."""
    return {
        key: value
        for key, value in environment.items()
        if key in PASSED_ON or not key.startswith(("ORCHESTRATOR_", "PG"))
    }


def _shared(keys: Keys, servers: Servers, service: str, port: int, role_prefix: str) -> dict[str, str]:
    role = service.replace("-", "_")
    return {
        "ORCHESTRATOR_DATABASE_URL": with_user(
            servers.database, role_prefix + role, keys.service_passwords[role]
        ),
        "ORCHESTRATOR_AMQP_URL": servers.amqp,
        "ORCHESTRATOR_HTTP_HOST": "127.0.0.1",
        "ORCHESTRATOR_HTTP_PORT": str(port),
        **({ENCRYPTION_VARIABLE: keys.encryption_key} if service in ENCRYPTING else {}),
        **({LINK_VARIABLE: keys.link_key} if service in LINKING else {}),
        "ORCHESTRATOR_DATABASE_ROLE_PREFIX": role_prefix,
        "PYTHONUNBUFFERED": "1",
    }


def _own(layout: Layout, keys: Keys, service: str, name: str, ports: Mapping[str, int]) -> dict[str, str]:
    api_url = f"http://127.0.0.1:{ports[API]}"
    if service == "api":
        return {
            "ORCHESTRATOR_ADMIN_EMAIL": ADMIN_EMAIL,
            "ORCHESTRATOR_ADMIN_TOKEN": keys.admin_token,
            "ORCHESTRATOR_PUBLIC_URL": api_url,
        }
    if service == "runner":
        return {
            "ORCHESTRATOR_LEASE_SECONDS": str(LEASE_SECONDS),
            "ORCHESTRATOR_HEARTBEAT_SECONDS": str(HEARTBEAT_SECONDS),
            "ORCHESTRATOR_RUNNER_NAME": name,
            "ORCHESTRATOR_WORK_DIR": str(layout.work / name),
            "ORCHESTRATOR_FILES_DIR": str(layout.files),
            "ORCHESTRATOR_API_URL": api_url,
            ALLOWED_COMMANDS_VARIABLE: os.environ.get(
                ALLOWED_COMMANDS_VARIABLE, json.dumps(HARMLESS_COMMANDS)
            ),
        }
    if service == "notifier":
        return {
            "ORCHESTRATOR_SMTP_HOST": "127.0.0.1",
            "ORCHESTRATOR_SMTP_PORT": str(ports[MAIL_SINK]),
            "ORCHESTRATOR_SMTP_TLS": "none",
            "ORCHESTRATOR_MAIL_FROM": MAIL_FROM,
            "ORCHESTRATOR_PUBLIC_URL": api_url,
        }
    return {}


def with_user(url: str, user: str, password: str) -> str:
    """The same database as another user."""
    parts = urlsplit(url)
    server = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{server}"))


def with_database(url: str, database: str) -> str:
    """Another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{quote(database, safe='')}"))

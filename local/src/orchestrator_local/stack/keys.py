"""Keys, passwords and the administrator's token of a local stack: created once, private to the owner."""

import base64
import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from orchestrator_cli.failures import BadInput
from orchestrator_cli.private_files import write_private

SERVICES = ("api", "scheduler", "trigger_watcher", "runner", "notifier")


def _password() -> str:
    return secrets.token_urlsafe(24)


def _service_passwords() -> dict[str, str]:
    return {service: _password() for service in SERVICES}


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


@dataclass(frozen=True, repr=False)
class Keys:
    """Secrets that must survive a restart; losing the encryption key loses every stored secret."""

    admin_token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    encryption_key: str = field(default_factory=_key)
    link_key: str = field(default_factory=_key)
    warehouse_password: str = field(default_factory=_password)
    service_passwords: dict[str, str] = field(default_factory=_service_passwords)


def load_or_make(file: Path) -> Keys:
    """The keys in the file; those that an older version did not know are made and added to it."""
    stored: dict[str, Any] = {}
    try:
        if file.exists():
            stored = json.loads(file.read_text())
        keys = Keys(**stored)
    except (ValueError, TypeError) as error:
        raise BadInput(
            f"cannot read {file} ({error}); restore it, or delete the whole state folder to start over"
        ) from None
    if asdict(keys) != stored:
        write_private(file, json.dumps(asdict(keys), indent=2) + "\n")
    return keys

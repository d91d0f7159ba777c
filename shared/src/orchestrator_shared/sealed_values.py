"""The two forms of an encrypted value, as text.

`enc:v1:<base64 of key id, nonce and sealed content>` is bound to a project only.
`enc:v2:<key id>:<place>:<base64 of nonce and sealed content>` is bound to a place in a project as well.
"""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from orchestrator_shared.definitions.placeholders import is_variable_reference

SecretForm = Literal["v1", "v2"]
V1, V2 = "enc:v1:", "enc:v2:"
KEY_ID_BYTES = 4
NONCE_BYTES = 12
SECRET_KEY = "#"  # noqa: S105  the mark of a key whose value is secret


@dataclass(frozen=True, slots=True)
class SealedValue:
    """An encrypted value in its parts."""

    key_id: bytes
    nonce: bytes
    sealed: bytes
    place: str | None
    """The name of its place; None in the first form."""

    @classmethod
    def parse(cls, text: str) -> "SealedValue":
        """Raises ValueError for anything else."""
        if text.startswith(V2):
            key_id, place, content = text.removeprefix(V2).split(":")
            blob = bytes.fromhex(key_id) + _decode(content)
        else:
            place, blob = None, _decode(text.removeprefix(V1))
        start, rest = KEY_ID_BYTES, KEY_ID_BYTES + NONCE_BYTES
        return cls(blob[:start], blob[start:rest], blob[rest:], place)

    def __str__(self) -> str:
        if self.place is None:
            return V1 + _encode(self.key_id + self.nonce + self.sealed)
        return f"{V2}{self.key_id.hex()}:{self.place}:{_encode(self.nonce + self.sealed)}"


def is_sealed(value: object) -> bool:
    """Whether a value has the form of an encrypted one."""
    return isinstance(value, str) and value.startswith((V1, V2))


def sealed_values(value: Any) -> Iterator[str]:
    """Every encrypted value anywhere in a JSON value."""
    if is_sealed(value):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from sealed_values(item)


def is_secret(key: str, value: object) -> bool:
    """Whether this is a secret: its key begins with `#`, and it is more than a reference to a variable."""
    return key.startswith(SECRET_KEY) and value is not None and not is_variable_reference(value)


def check_sealed(value: Any) -> None:
    """Raise a ValueError if a secret in a JSON value is in the clear: it must not be stored like this."""
    if isinstance(value, dict):
        for key, item in value.items():
            if is_secret(key, item) and not is_sealed(item):
                raise ValueError(f"the secret {key} is not encrypted")
            check_sealed(item)
    elif isinstance(value, list):
        for item in value:
            check_sealed(item)


def key_id(key: bytes) -> bytes:
    """What names a key beside the values it encrypted; it says nothing about the key."""
    return hashlib.sha256(b"orchestrator key id" + key).digest()[:KEY_ID_BYTES]


def _decode(text: str) -> bytes:
    return base64.b64decode(text, altchars=b"-_", validate=True)


def _encode(blob: bytes) -> str:
    return base64.urlsafe_b64encode(blob).decode()

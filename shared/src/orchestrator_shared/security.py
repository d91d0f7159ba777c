"""API tokens, and encryption of secrets at rest."""

import base64
import binascii
import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.settings import SettingsError, variable

MASK = "***"
SECRET_KEY = "#"  # noqa: S105  the mark of a key whose value is secret
ENCRYPTED = "enc:v1:"
MAX_DEPTH = 100

_TOKEN = re.compile(r"orc_(?P<id>[0-9a-f]{32})_[A-Za-z0-9_-]{43}")
_KEY_ID_BYTES = 4
_NONCE_BYTES = 12
_HANDLE_DIGITS = 12
_HANDLE = re.compile(rf"\*\*\*:[0-9a-f]{{{_HANDLE_DIGITS}}}")
_TEXT, _JSON = b"t", b"j"


# API tokens: random, so a fast hash is enough; the id in the text finds the row, the hash proves the secret.


def new_token() -> tuple[UUID, str]:
    """The id of a new callback token and its text `orc_<id>_<secret>`, which is never stored."""
    token_id = new_id()
    return token_id, f"orc_{token_id.hex}_{secrets.token_urlsafe(32)}"


def new_api_token() -> tuple[str, str]:
    """A new token's prefix `orc_ab12cd34`, by which people recognize it, and its text, shown once."""
    prefix = f"orc_{secrets.token_hex(4)}"
    return prefix, f"{prefix}_{secrets.token_urlsafe(32)}"


def hash_token(text: str) -> bytes:
    """The hash that is stored for a token."""
    return hashlib.sha256(text.encode()).digest()


def parse_token_id(text: str) -> UUID | None:
    """The id inside a callback token; None if it is none."""
    match = _TOKEN.fullmatch(text)
    return UUID(match["id"]) if match else None


class Encryption:
    """Encrypts values under keys that begin with `#`; the first key encrypts, all decrypt."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise SettingsError(f"{variable('encryption_keys')} is not set: give a base64 key of 32 bytes")
        self._ciphers = {_key_id(key): AESGCM(key) for key in reversed(keys)}
        self._first = _key_id(keys[0])

    def encrypt_value(self, value: str, *, project: str) -> str:
        """`enc:v1:…`, which only the same project can decrypt."""
        try:
            return self._seal(_TEXT + value.encode(), project)
        except UnicodeEncodeError as error:
            raise UserError(
                "the secret is not a valid string: it contains half of a surrogate pair"
            ) from error

    def decrypt_value(self, text: str, *, project: str) -> str:
        """The value again; raises UserError if it is not ours, not this project's, or its key is gone."""
        value = self._open(text, project)
        return value if isinstance(value, str) else json.dumps(value)

    def is_encrypted(self, value: object) -> bool:
        """Whether a value has the form of an encrypted one."""
        return isinstance(value, str) and value.startswith(ENCRYPTED)

    def encrypt_secrets(self, value: Any, project: str) -> Any:
        """A copy in which every value under a `#` key is encrypted; those that already are, are kept."""

        def encrypt(secret: Any) -> Any:
            if self.is_encrypted(secret):
                return self._renew(secret, project)
            if is_mask(secret):
                raise UserError(
                    f"{MASK} stands for a stored secret, but there is none here: enter the secret"
                )
            if isinstance(secret, str):
                return self.encrypt_value(secret, project=project)
            return self._seal(_JSON + json.dumps(secret, allow_nan=False).encode(), project)

        return map_secrets(value, encrypt)

    def decrypt_secrets(self, value: Any, project: str) -> Any:
        """A copy in which every encrypted value under a `#` key is decrypted."""

        def decrypt(secret: Any) -> Any:
            return self._open(secret, project) if self.is_encrypted(secret) else secret

        return map_secrets(value, decrypt)

    def _renew(self, text: str, project: str) -> str:
        """Under the first key; with the same nonce, so that its handle stays what people have in files."""
        nonce, content = self._content(text, project)
        return self._seal(content, project, nonce)

    def _seal(self, content: bytes, project: str, nonce: bytes | None = None) -> str:
        nonce = nonce or os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._first].encrypt(nonce, content, _associated(project))
        return ENCRYPTED + base64.urlsafe_b64encode(self._first + nonce + sealed).decode()

    def _open(self, text: str, project: str) -> Any:
        _, content = self._content(text, project)
        return content[1:].decode() if content[:1] == _TEXT else json.loads(content[1:])

    def _content(self, text: str, project: str) -> tuple[bytes, bytes]:
        """The nonce, and what was encrypted with it."""
        try:
            blob = base64.b64decode(text.removeprefix(ENCRYPTED), altchars=b"-_", validate=True)
            cipher = self._ciphers[blob[:_KEY_ID_BYTES]]
            nonce, sealed = blob[_KEY_ID_BYTES:][:_NONCE_BYTES], blob[_KEY_ID_BYTES + _NONCE_BYTES :]
            return nonce, cipher.decrypt(nonce, sealed, _associated(project))
        except (binascii.Error, KeyError, InvalidTag, ValueError) as error:
            raise UserError(
                "the encrypted value was not made in this project, or its key is no longer in "
                f"{variable('encryption_keys')}: enter the secret again"
            ) from error


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"orchestrator key id" + key).digest()[:_KEY_ID_BYTES]


def _associated(project: str) -> bytes:
    return b"orchestrator secret v1 " + project.encode()


def map_secrets(value: Any, change: Callable[[Any], Any], depth: int = 0) -> Any:
    """A copy of a JSON value with `change` applied to whatever lies under a `#` key; null stays null."""
    if depth > MAX_DEPTH:
        raise UserError(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        return {
            key: change(item)
            if key.startswith(SECRET_KEY) and item is not None
            else map_secrets(item, change, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [map_secrets(item, change, depth + 1) for item in value]
    return value


def mask_secrets(value: Any) -> Any:
    """A copy for people, logs and messages: `***` in place of every secret."""
    return map_secrets(value, lambda _: MASK)


Handles = Mapping[str, Any]
"""Stored secrets by what stands for each of them where its place does not."""


def is_mask(value: object) -> bool:
    """Whether a value is the mask of a stored secret."""
    return isinstance(value, str) and (value == MASK or _HANDLE.fullmatch(value) is not None)


def secret_handle(secret: object) -> str:
    """`***:3f2a9c1b07de`: made from a nonce, it is unique to the secret and reveals nothing about it."""
    if not (isinstance(secret, str) and secret.startswith(ENCRYPTED)):
        return MASK
    nonce = base64.urlsafe_b64decode(secret.removeprefix(ENCRYPTED))[_KEY_ID_BYTES:][:_NONCE_BYTES]
    return f"{MASK}:{hashlib.sha256(b'orchestrator secret handle' + nonce).hexdigest()[:_HANDLE_DIGITS]}"

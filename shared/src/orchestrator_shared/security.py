"""API tokens, and encryption of secrets at rest."""

import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from orchestrator_shared.definitions.placeholders import is_variable_reference
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.sealed_values import (
    NONCE_BYTES,
    SealedValue,
    SecretForm,
    is_sealed,
    is_secret,
    key_id,
)
from orchestrator_shared.secret_places import SecretPlace
from orchestrator_shared.settings import SettingsError, variable

MASK = "***"
MAX_DEPTH = 100

_TOKEN = re.compile(r"orc_(?P<id>[0-9a-f]{32})_[A-Za-z0-9_-]{43}")
_HANDLE_DIGITS = 12
_REMEMBERED = 2000
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
    """Encrypts values under keys that begin with `#`; the first key encrypts, all decrypt.

    A value is bound to its place: whoever copies it to another one, in the database or by the API, gets
    nothing. Values in the first form are bound to their project only, until they are written again.
    """

    def __init__(self, keys: Sequence[bytes], *, form: SecretForm = "v2") -> None:
        if not keys:
            raise SettingsError(f"{variable('encryption_keys')} is not set: give a base64 key of 32 bytes")
        self._ciphers = {key_id(key): _Ciphers(key) for key in reversed(keys)}
        self._first = key_id(keys[0])
        self._form = form

    @property
    def key_ids(self) -> list[str]:
        """The ids of the keys, the first key's first."""
        others = [each.hex() for each in reversed(self._ciphers) if each != self._first]
        return [self._first.hex(), *others]

    def encrypt_value(self, value: str, place: SecretPlace) -> str:
        """`enc:v2:…`, which can only be decrypted for the same place."""
        try:
            return self._seal(_TEXT + value.encode(), place)
        except UnicodeEncodeError as error:
            raise UserError(
                "the secret is not a valid string: it contains half of a surrogate pair"
            ) from error

    def decrypt_value(self, text: str, place: SecretPlace) -> str:
        """The value again; raises UserError if it is not ours, not for this place, or its key is gone."""
        value = _opened(self._content(text, place)[1])
        return value if isinstance(value, str) else json.dumps(value)

    def is_encrypted(self, value: object) -> bool:
        """Whether a value has the form of an encrypted one."""
        return is_sealed(value)

    def encrypt_secrets(self, value: Any, place: SecretPlace, kept: Collection[str] = ()) -> Any:
        """A copy in which every value under a `#` key is encrypted for the place.

        Those that already are must be for it, too, except those in `kept`, which stay what they were for.
        """

        def encrypt(secret: Any) -> Any:
            if is_sealed(secret):
                return self.renew_in_place(secret, place) if secret in kept else self.renew(secret, place)
            if is_mask(secret):
                raise UserError(
                    f"{MASK} stands for a stored secret, but there is none here: enter the secret"
                )
            if isinstance(secret, str):
                return self.encrypt_value(secret, place)
            return self._seal(_JSON + json.dumps(secret, allow_nan=False).encode(), place)

        return map_secrets(value, encrypt)

    def decrypt_secrets(self, value: Any, place: SecretPlace) -> Any:
        """A copy in which every encrypted value under a `#` key is decrypted; each must be for the place."""

        def decrypt(secret: Any) -> Any:
            return _opened(self._content(secret, place)[1]) if is_sealed(secret) else secret

        return map_secrets(value, decrypt)

    def read_secrets(self, value: Any, project: str) -> Any:
        """The same, whatever in the project they are for: to check and compare, never to hand on.

        What cannot be decrypted stays encrypted: it differs from everything that could be entered instead.
        """
        return map_secrets(value, lambda secret: self._read(secret, project))

    def read_references(self, value: Any, project: str) -> Any:
        """A copy with encrypted references to variables in the clear: earlier releases encrypted them."""

        def read(secret: Any) -> Any:
            clear = self._read(secret, project)
            return clear if is_variable_reference(clear) else secret

        return map_secrets(value, read)

    def _read(self, secret: Any, project: str) -> Any:
        try:
            is_ours = is_sealed(secret)
            return _opened(self._content(secret, _own_place(secret, project))[1]) if is_ours else secret
        except UserError:
            return secret

    def renew(self, text: str, place: SecretPlace) -> str:
        """Under the first key; with the same nonce, so that its handle stays what people have in files.

        The same nonce is never used twice with one cipher: each form, and each place, has its own.
        """
        nonce, content = self._content(text, place)
        return self._seal(content, place, nonce)

    def renew_in_place(self, text: str, otherwise: SecretPlace) -> str:
        """The same for the place it is already for; one in the first form is from now on for `otherwise`."""
        own = _own_place(text, otherwise.project)
        return self.renew(text, own if own.name else otherwise)

    def move_secrets(self, value: Any, source: SecretPlace, target: SecretPlace) -> Any:
        """A copy in which every secret of one place is encrypted anew for another."""
        return self.encrypt_secrets(self.decrypt_secrets(value, source), target)

    def _seal(self, content: bytes, place: SecretPlace, nonce: bytes | None = None) -> str:
        nonce = nonce or os.urandom(NONCE_BYTES)
        ciphers = self._ciphers[self._first]
        if self._form == "v1":
            sealed = ciphers.v1.encrypt(nonce, content, _bound_to_project(place.project))
            return str(SealedValue(self._first, nonce, sealed, None))
        sealed = ciphers.v2(place).encrypt(nonce, content, _bound_to_place(place))
        return str(SealedValue(self._first, nonce, sealed, place.name))

    def _content(self, text: str, place: SecretPlace) -> tuple[bytes, bytes]:
        """The nonce, and what was encrypted with it."""
        try:
            value = SealedValue.parse(text)
            ciphers = self._ciphers[value.key_id]
            if value.place is None:
                bound = _bound_to_project(place.project)
                return value.nonce, ciphers.v1.decrypt(value.nonce, value.sealed, bound)
            return value.nonce, ciphers.v2(place).decrypt(value.nonce, value.sealed, _bound_to_place(place))
        except (KeyError, InvalidTag, ValueError) as error:
            raise UserError(
                f"the encrypted value was not made in this project{place.purpose}, or its key is no longer "
                f"in {variable('encryption_keys')}: enter the secret again"
            ) from error


class _Ciphers:
    """A cipher for the first form, and one for each place of the second, with keys of their own.

    A value keeps its nonce when it changes its form. If two places shared a key, a value of the first form
    that someone copied to both would become two with one nonce, which gives away how GCM authenticates.
    """

    def __init__(self, key: bytes) -> None:
        self.v1 = AESGCM(key)
        self.v2 = lru_cache(_REMEMBERED)(partial(_cipher_of_place, key))


def _cipher_of_place(key: bytes, place: SecretPlace) -> AESGCM:
    return AESGCM(HKDF(hashes.SHA256(), len(key), salt=None, info=_bound_to_place(place)).derive(key))


def _opened(content: bytes) -> Any:
    return content[1:].decode() if content[:1] == _TEXT else json.loads(content[1:])


def _own_place(text: str, project: str) -> SecretPlace:
    """What the value says it is for; without a name if it does not say."""
    try:
        return SecretPlace(project, SealedValue.parse(text).place or "")
    except ValueError:
        return SecretPlace(project, "")


def _bound_to_project(project: str) -> bytes:
    return b"orchestrator secret v1 " + project.encode()


def _bound_to_place(place: SecretPlace) -> bytes:
    return b"\0".join((b"orchestrator secret v2", place.project.encode(), place.name.encode()))


def map_secrets(value: Any, change: Callable[[Any], Any], depth: int = 0) -> Any:
    """A copy of a JSON value with `change` applied to whatever lies under a `#` key.

    Null stays null, and what is only a reference to a variable stays as it is.
    """
    if depth > MAX_DEPTH:
        raise UserError(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        return {
            key: change(item) if is_secret(key, item) else map_secrets(item, change, depth + 1)
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
    if not is_sealed(secret):
        return MASK
    nonce = SealedValue.parse(str(secret)).nonce
    return f"{MASK}:{hashlib.sha256(b'orchestrator secret handle' + nonce).hexdigest()[:_HANDLE_DIGITS]}"

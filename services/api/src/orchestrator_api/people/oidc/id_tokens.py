"""ID tokens: their signature and claims, checked by authlib."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
"""Signed with a key that only the provider has: never `none`, never a shared secret."""
DEFAULT_ALGORITHM = "RS256"
LEEWAY_SECONDS = 60
"""How far the clocks of provider and api may differ."""


class InvalidIdToken(Exception):
    """The ID token is not one that the provider made for this sign-in; the text says why."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What an ID token has to say."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str | None


def verified(
    id_token: str, keys: Mapping[str, Any], algorithms: Sequence[str], expected: Expected
) -> dict[str, Any]:
    """The claims of the token; raises InvalidIdToken."""
    allowed = [name for name in algorithms or (DEFAULT_ALGORITHM,) if name in ALGORITHMS]
    try:
        key_set = KeySet.import_key_set({"keys": [each for each in keys["keys"] if _signs(each)]})
        registry = JWSRegistry(algorithms=allowed, strict_check_header=False)
        token = jwt.decode(id_token, key=key_set, registry=registry)
        claims = CodeIDToken(token.claims, token.header, _options(expected), _parameters(expected))
        claims.validate(leeway=LEEWAY_SECONDS)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidIdToken(str(error) or type(error).__name__) from error
    return dict(claims)


def _signs(key: Mapping[str, Any]) -> bool:
    return key.get("use", "sig") == "sig" and key.get("kty") != "oct"


def _options(expected: Expected) -> dict[str, Any]:
    return {
        "iss": {"essential": True, "value": expected.issuer},
        "aud": {"essential": True, "value": expected.client_id},
        "sub": {"essential": True},
        "exp": {"essential": True},
        "nonce": {"essential": True, "value": expected.nonce},
    }


def _parameters(expected: Expected) -> dict[str, Any]:
    return {
        "nonce": expected.nonce,
        "client_id": expected.client_id,
        "access_token": expected.access_token,
    }

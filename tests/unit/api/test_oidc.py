"""Signing in with an identity provider: group roles, pending sign-ins, ID tokens and settings."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from orchestrator_api.access.permissions import Membership, Role
from orchestrator_api.people.oidc import pending
from orchestrator_api.people.oidc.group_roles import HeldRole, RoleChange, changes, granted, parse_group_roles
from orchestrator_api.people.oidc.id_tokens import Expected, InvalidIdToken, verified
from orchestrator_api.people.oidc.pending import PendingSignIn
from orchestrator_api.people.sign_in_settings import SignInSettings, provider_of
from orchestrator_shared.settings import SettingsError, load_settings

VIEWER, ON_CALL = Membership(Role.VIEWER), Membership(Role.VIEWER, may_run=True)
EDITOR, ADMIN = Membership(Role.EDITOR), Membership(Role.ADMIN)
NOW = datetime(2026, 11, 30, tzinfo=UTC)
KEY, OTHER_KEY = bytes(range(32)), bytes(32)


def test_the_most_of_all_groups_counts() -> None:
    rules: Any = parse_group_roles(
        '{"a": {"x": "viewer", "y": "admin"}, "b": {"x": "viewer+run", "y": "editor"}, "c": "instance-admin"}'
    )
    both = granted(rules, ["b", "a", "unknown"])
    assert (both.memberships, both.is_administrator) == ({"x": ON_CALL, "y": ADMIN}, False)
    assert granted(rules, ["c"]).is_administrator
    assert granted(rules, []).memberships == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "expected JSON such as"),
        ("[]", "expected a JSON object such as"),
        ('{"a": {"x": "owner"}}', "group 'a': expected a role for each project"),
        ('{"a": {"x": ["viewer"]}}', "group 'a'"),
        ('{"a": {}}', "group 'a'"),
        ('{"a": "admin"}', "group 'a'"),
    ],
)
def test_a_wrong_mapping_is_told_with_its_group(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason.replace("[", r"\[")):
        parse_group_roles(text)


def test_only_roles_of_the_provider_change() -> None:
    held = [
        HeldRole("by-hand", Role.VIEWER, False, is_from_provider=False),
        HeldRole("same", Role.EDITOR, False, is_from_provider=True),
        HeldRole("more", Role.VIEWER, False, is_from_provider=True),
        HeldRole("gone", Role.ADMIN, False, is_from_provider=True),
    ]
    wanted = {"by-hand": ADMIN, "same": EDITOR, "more": ON_CALL, "new": VIEWER}
    assert changes(held, wanted) == [
        RoleChange("gone", ADMIN, None),
        RoleChange("more", VIEWER, ON_CALL),
        RoleChange("new", None, VIEWER),
    ]


def test_a_pending_sign_in_is_ours_and_for_ten_minutes() -> None:
    sent = PendingSignIn.to("/docs")
    cookie = sent.sign(OTHER_KEY, NOW)
    assert pending.read([KEY, OTHER_KEY], cookie, NOW + timedelta(minutes=9)) == sent
    assert pending.read([KEY], cookie, NOW) is None
    assert pending.read([OTHER_KEY], cookie, NOW + timedelta(minutes=10)) is None
    assert pending.read([OTHER_KEY], f"{cookie}x", NOW) is None
    assert pending.read([OTHER_KEY], "x" * 5000, NOW) is None
    assert sent.is_answered_by(sent.state)
    assert not sent.is_answered_by("")


ISSUER, CLIENT = "https://login.example.com", "orchestrator"
EXPECTED = Expected(ISSUER, CLIENT, "the nonce", None)
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
KEYS: dict[str, Any] = dict(KeySet([RSA, EC]).as_dict(private=False))
BOTH = ["RS256", "ES256"]


def claims(**more: Any) -> dict[str, Any]:
    now = int(time.time())
    right = {"iss": ISSUER, "aud": CLIENT, "sub": "eva", "iat": now, "exp": now + 300, "nonce": "the nonce"}
    return {name: value for name, value in {**right, **more}.items() if value is not None}


@pytest.mark.parametrize(("algorithm", "key"), [("RS256", RSA), ("ES256", EC)])
def test_a_right_id_token_is_read(algorithm: str, key: Any) -> None:
    token = jwt.encode({"alg": algorithm, "kid": key.kid}, claims(aud=[CLIENT]), key)
    assert verified(token, KEYS, BOTH, EXPECTED)["sub"] == "eva"


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://login.example.com.evil.example"},
        {"iss": None},
        {"aud": "another client"},
        {"aud": ["another client"]},
        {"aud": [CLIENT, "another client"], "azp": "another client"},
        {"aud": None},
        {"sub": None},
        {"exp": 1},
        {"exp": None},
        {"nonce": "another nonce"},
        {"nonce": None},
        {"azp": "another client"},
        {"nbf": int(time.time()) + 3600},
    ],
    ids=str,
)
def test_a_wrong_claim_is_refused(wrong: dict[str, Any]) -> None:
    token = jwt.encode({"alg": "RS256", "kid": "rsa"}, claims(**wrong), RSA)
    with pytest.raises(InvalidIdToken):
        verified(token, KEYS, BOTH, EXPECTED)


def test_a_wrong_signature_is_refused() -> None:
    forged = RSAKey.generate_key(2048, {"kid": "rsa"})
    shared = OctKey.import_key("the client's secret, long enough for HS256", {"kid": "oct"})
    good = jwt.encode({"alg": "RS256", "kid": "rsa"}, claims(), RSA)
    head, _, tail = good.partition(".")
    tokens = [
        jwt.encode({"alg": "RS256", "kid": "rsa"}, claims(), forged),
        jwt.encode({"alg": "HS256", "kid": "oct"}, claims(), shared),
        jwt.encode({"alg": "ES256", "kid": "ec"}, claims(), EC),  # not one that the provider names
        f"eyJhbGciOiJub25lIn0.{tail.partition('.')[0]}.",  # {"alg":"none"}
        head,
        "",
    ]
    keys = {"keys": [*KEYS["keys"], shared.as_dict()]}
    for token in tokens:
        with pytest.raises(InvalidIdToken):
            verified(token, keys, ["RS256", "HS256", "none"], EXPECTED)
    assert verified(good, keys, [], EXPECTED)["sub"] == "eva", "RS256 where the provider names none"


@pytest.mark.parametrize("keys", [{}, {"keys": None}, {"keys": ["x"]}, {"keys": [{"kty": "RSA"}]}], ids=str)
def test_keys_that_cannot_be_read_are_refused(keys: dict[str, Any]) -> None:
    token = jwt.encode({"alg": "RS256", "kid": "rsa"}, claims(), RSA)
    with pytest.raises(InvalidIdToken):
        verified(token, keys, BOTH, EXPECTED)


BASE = {"database_url": "postgresql://x/y"}
OIDC = {
    **BASE,
    "public_url": "https://orchestrator.example.com/",
    "oidc_issuer": ISSUER,
    "oidc_client_id": CLIENT,
    "oidc_client_secret": "secret",
}


def test_the_provider_of_the_settings(tmp_path: Path) -> None:
    assert provider_of(load_settings(SignInSettings, **BASE)) is None
    provider = provider_of(load_settings(SignInSettings, **OIDC))
    assert provider is not None
    assert provider.settings.redirect_uri == "https://orchestrator.example.com/sign-in/oidc/callback"
    assert "secret" not in repr(provider.settings).replace("client_secret", "")
    file = tmp_path / "secret"
    file.write_text("from a file\n")
    from_file = {**OIDC, "oidc_client_secret": None, "oidc_client_secret_file": file}
    provider = provider_of(load_settings(SignInSettings, **from_file))
    assert provider is not None
    assert provider.settings.client_secret == "from a file"
    for text in (None, ""):
        file.unlink() if text is None else file.write_text(text)
        with pytest.raises(SettingsError, match="ORCHESTRATOR_OIDC_CLIENT_SECRET_FILE"):
            provider_of(load_settings(SignInSettings, **from_file))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({**BASE, "password_sign_in": False}, "nobody could sign in"),
        ({**OIDC, "oidc_client_id": None}, "ORCHESTRATOR_OIDC_CLIENT_ID"),
        ({**OIDC, "public_url": None}, "ORCHESTRATOR_PUBLIC_URL"),
        ({**OIDC, "oidc_client_secret": None}, "ORCHESTRATOR_OIDC_CLIENT_SECRET_FILE"),
        ({**OIDC, "oidc_client_secret_file": "/x"}, "either ORCHESTRATOR_OIDC_CLIENT_SECRET"),
        ({**OIDC, "oidc_issuer": "login.example.com"}, "expected the provider's URL"),
        ({**OIDC, "oidc_issuer": "https://login.example.com?x=1"}, "expected the provider's URL"),
        ({**OIDC, "oidc_scopes": "email profile"}, "must contain openid"),
        ({**OIDC, "oidc_groups": '{"a": "owner"}'}, "ORCHESTRATOR_OIDC_GROUPS.*group 'a'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        load_settings(SignInSettings, **given)

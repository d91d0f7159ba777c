"""Signing in with an identity provider: group roles, pending sign-ins, ID tokens and settings."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from orchestrator_api.access.permissions import Membership, Role
from orchestrator_api.people.oidc import pending
from orchestrator_api.people.oidc.endpoints import Answer, Endpoints, ProviderUnavailable
from orchestrator_api.people.oidc.group_roles import HeldRole, RoleChange, changes, granted, parse_group_roles
from orchestrator_api.people.oidc.id_tokens import Expected, InvalidIdToken, verified
from orchestrator_api.people.oidc.pending import PendingSignIn
from orchestrator_api.people.oidc.provider import NotProved, Provider
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
        {"nbf": 4_102_444_800},  # in 2100: an id of a test must not hang on the clock
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


def test_the_provider_of_the_settings() -> None:
    assert provider_of(load_settings(SignInSettings, **BASE)) is None
    provider = provider_of(load_settings(SignInSettings, **OIDC))
    assert provider is not None
    assert provider.settings.redirect_uri == "https://orchestrator.example.com/sign-in/oidc/callback"
    assert "secret" not in repr(provider.settings).replace("client_secret", "")


def test_the_clients_secret_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    file.write_text("from a file\n")
    monkeypatch.setenv("ORCHESTRATOR_OIDC_CLIENT_SECRET_FILE", str(file))
    from_file = {name: value for name, value in OIDC.items() if name != "oidc_client_secret"}
    provider = provider_of(load_settings(SignInSettings, **from_file))
    assert provider is not None
    assert provider.settings.client_secret == "from a file"
    for text in (None, ""):
        file.unlink() if text is None else file.write_text(text)
        with pytest.raises(SettingsError, match="ORCHESTRATOR_OIDC_CLIENT_SECRET_FILE"):
            load_settings(SignInSettings, **from_file)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({**BASE, "password_sign_in": False}, "nobody could sign in"),
        ({**OIDC, "oidc_client_id": None}, "ORCHESTRATOR_OIDC_CLIENT_ID"),
        ({**OIDC, "public_url": None}, "ORCHESTRATOR_PUBLIC_URL"),
        ({**OIDC, "oidc_client_secret": None}, "needs ORCHESTRATOR_OIDC_CLIENT_SECRET"),
        ({**OIDC, "oidc_issuer": "login.example.com"}, "expected the provider's URL"),
        ({**OIDC, "oidc_issuer": "https://login.example.com?x=1"}, "expected the provider's URL"),
        ({**OIDC, "oidc_scopes": "email profile"}, "must contain openid"),
        ({**OIDC, "oidc_groups": '{"a": "owner"}'}, "ORCHESTRATOR_OIDC_GROUPS.*group 'a'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        load_settings(SignInSettings, **given)


@dataclass(frozen=True, slots=True)
class ScriptedEndpoints(Endpoints):
    """Answers as told; what was asked stays."""

    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        self.asked.append((url, headers or {}))
        return self.answers[url]

    async def post(self, url: str, headers: Mapping[str, str], form: str) -> Answer:
        self.asked.append((url, {**headers, "form": form}))
        return Answer(200, self.answers[url])


def scripted(id_token: dict[str, Any], **answers: Any) -> tuple[Provider, ScriptedEndpoints]:
    metadata = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize?tenant=1",
        "token_endpoint": f"{ISSUER}/token",
        "jwks_uri": f"{ISSUER}/keys",
        "userinfo_endpoint": f"{ISSUER}/userinfo",
        **answers.pop("metadata", {}),
    }
    token = jwt.encode({"alg": "RS256", "kid": "rsa"}, id_token, RSA)
    endpoints = ScriptedEndpoints(
        answers={
            f"{ISSUER}/.well-known/openid-configuration": metadata,
            f"{ISSUER}/token": {"id_token": token, "access_token": "the access token"},
            f"{ISSUER}/keys": KEYS,
            f"{ISSUER}/userinfo": answers.pop("userinfo", {}),
        }
    )
    settings = load_settings(SignInSettings, **{**OIDC, "oidc_groups": '{"a": {"x": "viewer"}}'})
    made = provider_of(settings)
    assert made is not None
    return Provider(made.settings, endpoints), endpoints


async def test_what_the_id_token_leaves_out_is_asked_for() -> None:
    sent = PendingSignIn("state", "the nonce", "v" * 43, "/")
    userinfo = {"sub": "eva", "email": "eva@example.com", "email_verified": True, "groups": ["a"]}
    provider, endpoints = scripted(claims(), userinfo=userinfo)
    found = await provider.identity("the code", sent)
    assert (found.email, found.is_verified, found.groups) == ("eva@example.com", True, frozenset({"a"}))
    assert endpoints.asked[-1] == (f"{ISSUER}/userinfo", {"Authorization": "Bearer the access token"})
    form = endpoints.asked[1][1]
    assert form["Authorization"] == "Basic b3JjaGVzdHJhdG9yOnNlY3JldA=="
    assert "code_verifier=" + "v" * 43 in form["form"]

    provider, _ = scripted(claims(), userinfo={**userinfo, "sub": "another person"})
    with pytest.raises(NotProved, match="another person"):
        await provider.identity("the code", sent)

    provider, endpoints = scripted(claims(**userinfo))
    assert (await provider.identity("the code", sent)).email == "eva@example.com"
    assert f"{ISSUER}/userinfo" not in [url for url, _ in endpoints.asked]


async def test_the_secret_is_in_the_form_where_the_provider_wants_it_there() -> None:
    methods = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    provider, endpoints = scripted(
        claims(sub="x", email="x", email_verified=True, groups=[]), metadata=methods
    )
    await provider.identity("the code", PendingSignIn("state", "the nonce", "verifier", "/"))
    assert "client_secret=secret" in endpoints.asked[1][1]["form"]


async def test_the_query_of_the_providers_page_stays() -> None:
    provider, _ = scripted(claims())
    url = await provider.authorization_url(PendingSignIn.to("/"))
    assert url.startswith(f"{ISSUER}/authorize?tenant=1&")


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"issuer": f"{ISSUER}/"}, "the issuer is"),
        ({"token_endpoint": "http://login.example.com/token"}, "not an https URL"),
        ({"jwks_uri": None}, "jwks_uri"),
    ],
    ids=str,
)
async def test_a_description_that_does_not_fit_is_an_outage(metadata: dict[str, Any], reason: str) -> None:
    provider, _ = scripted(claims(), metadata=metadata)
    with pytest.raises(ProviderUnavailable, match=reason):
        await provider.authorization_url(PendingSignIn.to("/"))

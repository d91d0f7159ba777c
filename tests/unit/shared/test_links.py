"""Links for people: what a signature holds, and what is refused."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest

from orchestrator_shared.domain.link_purposes import LinkPurpose
from orchestrator_shared.job_tokens import JobToken, sign_job_token
from orchestrator_shared.links import MAX_CHARACTERS, LinkClaims, _signing_key, sign_link, verify_link

KEY, OTHER = b"k" * 32, b"o" * 32
LINK = UUID("0193a5b1-0000-7000-8000-000000000001")
NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
EXPIRY = NOW + timedelta(days=7)


def signed(key: bytes = KEY, purpose: LinkPurpose = LinkPurpose.INVITE, expires_at: datetime = EXPIRY) -> str:
    return sign_link(key, LINK, purpose, expires_at)


def forged(claims: dict[str, Any], algorithm: str = "HS256") -> str:
    good = {"sub": str(LINK), "aud": "orchestrator-link-invite", "exp": int(EXPIRY.timestamp())}
    said = {name: value for name, value in {**good, **claims}.items() if value is not None}
    return jwt.encode(said, _signing_key(KEY), algorithm=algorithm)


@pytest.mark.parametrize("purpose", LinkPurpose)
def test_a_link_says_what_was_signed(purpose: LinkPurpose) -> None:
    text = signed(purpose=purpose, expires_at=EXPIRY + timedelta(microseconds=999_999))
    assert verify_link([KEY], text, NOW) == LinkClaims(LINK, purpose, EXPIRY)
    assert len(text) < MAX_CHARACTERS
    assert set(text) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."), "for a URL"


def test_the_same_link_has_the_same_text_in_every_process() -> None:
    assert signed() == signed()
    assert signed() != signed(purpose=LinkPurpose.RESET)
    assert signed() != signed(expires_at=EXPIRY + timedelta(seconds=1))


def test_a_link_ends_at_its_expiry() -> None:
    text = signed()
    assert verify_link([KEY], text, EXPIRY - timedelta(microseconds=1)) is not None
    assert verify_link([KEY], text, EXPIRY) is None


def test_a_rotated_key_still_opens_what_it_signed() -> None:
    assert verify_link([OTHER, KEY], signed(), NOW) is not None
    assert verify_link([OTHER], signed(), NOW) is None
    assert verify_link([], signed(), NOW) is None


def test_nothing_else_that_the_key_made_passes_for_a_link() -> None:
    assert verify_link([KEY], sign_job_token(KEY, JobToken(LINK, 1, "demo", (), EXPIRY)), NOW) is None
    claims = {"sub": str(LINK), "aud": "orchestrator-link-invite", "exp": int(EXPIRY.timestamp())}
    assert verify_link([KEY], jwt.encode(claims, KEY, algorithm="HS256"), NOW) is None, "not the derived key"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "orchestrator-job"},
        {"aud": ["orchestrator-link-invite", "orchestrator-link-reset"]},
        {"aud": None},
        {"sub": None},
        {"sub": "not-an-id"},
        {"exp": None},
        {"exp": 10**30},
        {"exp": "soon"},
    ],
    ids=str,
)
def test_other_claims_are_refused_whoever_signed_them(claims: dict[str, Any]) -> None:
    assert verify_link([KEY], forged({}), NOW) is not None
    assert verify_link([KEY], forged(claims), NOW) is None


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_only_one_algorithm_is_accepted() -> None:
    assert verify_link([KEY], forged({}, algorithm="HS512"), NOW) is None
    head, body, _ = signed().split(".")
    none = urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).decode().rstrip("=")
    assert verify_link([KEY], f"{none}.{body}.", NOW) is None
    assert json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4)))["alg"] == "HS256"


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a.b.c", "\0", "ä.ö.ü", "\ud800", "x" * (MAX_CHARACTERS + 1)]
)
def test_what_is_not_a_link_is_refused(text: str) -> None:
    assert verify_link([KEY], text, NOW) is None


def test_a_changed_character_is_noticed() -> None:
    text = signed()
    for place in range(len(text) - 1):  # some bits of the last one are padding
        other = "A" if text[place] != "A" else "B"
        assert verify_link([KEY], text[:place] + other + text[place + 1 :], NOW) is None, place

"""Codes of the command line's login: for one minute, and for whoever asked for them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from orchestrator_api.web.cli_codes import ConfirmedLogin, LoginWish, challenge_of, verify
from orchestrator_shared.domain.link_purposes import LinkPurpose
from orchestrator_shared.links import sign_link, verify_link

KEY, OTHER = b"k" * 32, b"o" * 32
NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
VERIFIER = "v" * 43
LOGIN = ConfirmedLogin(UUID(int=1), UUID(int=2), UUID(int=3), challenge_of(VERIFIER), "eva's laptop")
STATE, CHALLENGE = "s" * 16, challenge_of(VERIFIER)


def test_a_code_says_what_was_confirmed() -> None:
    code = LOGIN.sign(KEY, NOW)
    assert verify([KEY], code, VERIFIER, NOW) == LOGIN
    assert verify([OTHER, KEY], code, VERIFIER, NOW + timedelta(seconds=59)) == LOGIN


@pytest.mark.parametrize(
    ("keys", "verifier", "seconds"),
    [([OTHER], VERIFIER, 0), ([KEY], "w" * 43, 0), ([KEY], CHALLENGE, 0), ([KEY], VERIFIER, 60)],
)
def test_a_code_of_someone_else_or_of_earlier_is_refused(
    keys: list[bytes], verifier: str, seconds: float
) -> None:
    assert verify(keys, LOGIN.sign(KEY, NOW), verifier, NOW + timedelta(seconds=seconds)) is None


def test_a_link_is_no_code_and_a_code_is_no_link() -> None:
    link = sign_link(KEY, UUID(int=1), LinkPurpose.INVITE, NOW + timedelta(days=1))
    assert verify([KEY], link, VERIFIER, NOW) is None
    assert verify_link([KEY], LOGIN.sign(KEY, NOW), NOW) is None
    assert verify([KEY], "x" * 1001, VERIFIER, NOW) is None
    assert verify([KEY], "a.b.c", VERIFIER, NOW) is None


def test_a_wish_leads_back_to_this_computer_only() -> None:
    wish = LoginWish.read(STATE, CHALLENGE, "8765", "eva's laptop")
    assert wish is not None
    assert wish.callback("a.b.c") == f"http://127.0.0.1:8765/callback?code=a.b.c&state={STATE}"


@pytest.mark.parametrize(
    ("state", "challenge", "port", "name"),
    [
        ("short", CHALLENGE, "8765", "x"),
        (STATE + "&code=x", CHALLENGE, "8765", "x"),
        (STATE, "short", "8765", "x"),
        (STATE, CHALLENGE, "80", "x"),
        (STATE, CHALLENGE, "65536", "x"),
        (STATE, CHALLENGE, "8765@evil.example", "x"),
        (STATE, CHALLENGE, "\u0661\u0662\u0663\u0664", "x"),
        (STATE, CHALLENGE, "1" * 6, "x"),
        (STATE, CHALLENGE, "", "x"),
        (STATE, CHALLENGE, "8765", ""),
        (STATE, CHALLENGE, "8765", "a\nb"),
        (STATE, CHALLENGE, "8765", "x" * 101),
    ],
)
def test_a_wish_that_no_command_line_of_ours_makes_is_refused(
    state: str, challenge: str, port: str, name: str
) -> None:
    assert LoginWish.read(state, challenge, port, name) is None

"""What a token may do in words, and what the form of a new one asks for."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from orchestrator_api.access.models import TokenIn
from orchestrator_api.access.rows import Token
from orchestrator_api.web import forms
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.tokens.asked import body_of, places
from orchestrator_api.web.tokens.words import may, named
from orchestrator_shared.domain.errors import UserError

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
PRAGUE = ZoneInfo("Europe/Prague")


def token(scopes: str, components: str = "", buckets: str = "") -> Token:
    lists = (tuple(scopes.split()), tuple(components.split()))
    return Token(
        uuid4(), "api", "t", "demo", *lists, NOW, None, None, None, "orc_ab", "", tuple(buckets.split()), None
    )  # fmt: skip


@pytest.mark.parametrize(
    ("scopes", "components", "buckets", "said"),
    [
        ("run", "", "", ["Starts every orchestration"]),
        ("run", "orchestrator/a orchestrator/b", "", ["Starts a and b"]),
        ("run", "orchestrator x y/one", "", ["Starts every orchestration, and y/one, and what x runs"]),
        ("run read", "*", "", ["Sees everything, secrets masked", "Starts everything that is defined"]),
        (
            "configure", "x orchestrator", "",
            ["Changes configurations of x and orchestrations", "Sees everything, secrets masked"],
        ),
        ("configure", "", "", ["Changes nothing: no component is listed", "Sees everything, secrets masked"]),
        ("publish", "", "in.c-a in.c-b", ["Says when tables of in.c-a and in.c-b were updated"]),
        ("publish", "", "*", ["Says when tables of any bucket were updated"]),
    ],
)  # fmt: skip
def test_what_a_token_may_do(scopes: str, components: str, buckets: str, said: list[str]) -> None:
    assert may(token(scopes, components, buckets)) == said


def test_many_names_are_cut() -> None:
    assert named("abcd") == "a, b, c and d"
    assert named("abcde") == "a, b, c and 2 more"


def test_only_starts_runs_is_the_scope_run_and_the_chosen_orchestrations() -> None:
    sent = Fields(
        {"name": " button ", "preset": "run", "which": "some", "start/daily": "true", "lasts": "90"}
    )
    body = body_of(sent, NOW, PRAGUE)
    assert forms.checked(TokenIn, body).model_dump() == {
        "name": "button", "description": "", "scopes": ["run"], "components": ["orchestrator/daily"],
        "buckets": [], "expires_at": NOW + timedelta(days=90),
    }  # fmt: skip
    assert body_of(Fields({**sent, "which": "all"}), NOW, PRAGUE)["components"] == []


def test_scopes_of_ones_own() -> None:
    sent = {"name": "x", "preset": "custom", "publish": "true", "read": "true", "lasts": "never"}
    body = body_of(Fields({**sent, "buckets": "in.c-a  in.c-b", "components": "*"}), NOW, PRAGUE)
    assert (body["scopes"], body["components"]) == (["read", "publish"], ["*"])
    assert (body["buckets"], body["expires_at"]) == (["in.c-a", "in.c-b"], None)
    without = body_of(Fields({**sent, "publish": "", "buckets": "in.c-a"}), NOW, PRAGUE)
    assert without["buckets"] == []


def test_a_day_counts_to_its_end_in_the_viewers_zone() -> None:
    sent = Fields({"preset": "run", "which": "all", "lasts": "day", "until": "2026-12-31"})
    assert body_of(sent, NOW, PRAGUE)["expires_at"] == datetime(2026, 12, 31, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"preset": "run", "which": "some"}, "which"),
        ({"preset": "custom"}, "scopes"),
        ({"preset": "run", "which": "all", "lasts": "day", "until": "soon"}, "until"),
    ],
)
def test_what_the_form_itself_refuses(sent: dict[str, str], field: str) -> None:
    with pytest.raises(UserError) as raised:
        body_of(Fields(sent), NOW, PRAGUE)
    assert raised.value.field == field


def test_errors_of_the_api_stand_at_the_fields() -> None:
    assert places(Fields(preset="run", lasts="day")) == {"expires_at": "until", "components": "which"}
    assert places(Fields(preset="custom")) == {"expires_at": "lasts", "components": "components"}

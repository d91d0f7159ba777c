"""What the form of a variable sends: a secret that is left empty keeps its value."""

from datetime import UTC, datetime

import pytest

from orchestrator_api.projects.rows import Variable
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.variables.asked import body_of, name_of
from orchestrator_shared.domain.errors import UserError

NOW = datetime(2026, 11, 30, tzinfo=UTC)
PLAIN, SECRET = (
    Variable("a", "x", secret=False, updated_at=NOW),
    Variable("a", "***", secret=True, updated_at=NOW),
)


@pytest.mark.parametrize(
    ("stored", "value", "secret", "sent"),
    [
        (None, "x\r\ny", "", {"value": "x\ny", "secret": False}),
        (None, "x", "true", {"value": "x", "secret": True}),
        (PLAIN, "", "", {"value": "", "secret": False}),
        (SECRET, "", "true", {"value": "***", "secret": True}),
        (SECRET, "new", "", {"value": "new", "secret": False}),
    ],
)
def test_what_is_sent(stored: Variable | None, value: str, secret: str, sent: dict[str, object]) -> None:
    assert body_of(Fields(value=value, secret=secret), stored) == sent


@pytest.mark.parametrize(("stored", "secret"), [(None, "true"), (PLAIN, "true"), (SECRET, "")])
def test_a_secret_is_neither_empty_nor_published_by_leaving_it_empty(
    stored: Variable | None, secret: str
) -> None:
    with pytest.raises(UserError) as raised:
        body_of(Fields(value="", secret=secret), stored)
    assert raised.value.field == "value"


def test_a_name_is_what_parameters_can_name() -> None:
    assert name_of(Fields(name=" export_url ")) == "export_url"
    for name in ("", "Export", "1a", "a" * 64, "a-b"):
        with pytest.raises(UserError):
            name_of(Fields(name=name))

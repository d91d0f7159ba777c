"""What a form says at its fields when it is refused."""

import pytest
from pydantic import BaseModel

from orchestrator_api.http.refusals import FieldError, Invalid
from orchestrator_api.web import forms
from orchestrator_shared.domain.errors import UserError


class Body(BaseModel):
    name: str
    rows: int = 1


def test_each_wrong_field_of_a_body_is_named() -> None:
    with pytest.raises(Invalid) as raised:
        forms.checked(Body, {"rows": "many"})
    assert forms.refused(raised.value) == {"name": "is missing", "rows": "must be a whole number"}
    assert forms.checked(Body, {"name": "a", "rows": "2"}) == Body(name="a", rows=2)


@pytest.mark.parametrize(
    ("field", "place"),
    [("parameters.rows", "json"), ("parameters", "json"), ("cron", "cron"), ("a.b", "a"), (None, "form")],
)
def test_an_error_stands_where_the_form_has_its_field(field: str | None, place: str) -> None:
    error = UserError("is wrong", field=field)
    assert forms.refused(error, {"parameters": "json"}) == {place: "is wrong"}


def test_two_errors_of_one_place_are_both_said() -> None:
    error = Invalid([FieldError("a.b", "is missing"), FieldError("a.c", "is too long")])
    assert forms.refused(error) == {"a": "is missing; is too long"}

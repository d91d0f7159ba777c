"""`orchestrator triggers explain` says what the api says (issue 8, number 40)."""

from orchestrator_cli.commands.triggers import summary_lines


def test_every_reason_is_a_line() -> None:
    reasons = ["1 of 2 tables was updated.", "Missing: in.c-a.y, since daily #6 (manual) started at 08:00."]
    explanation = {"orchestration": "daily", "name": "ab", "reasons": reasons, "summary": " ".join(reasons)}
    assert summary_lines(explanation) == [f"daily / ab: {reasons[0]}", reasons[1]]

"""What answers mean, when to give up, and how long to wait."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator_runner.executors.http.answer import (
    Again,
    Answer,
    Begun,
    Ended,
    Running,
    Unanswered,
    decide_poll,
    decide_start,
    excerpt,
)
from orchestrator_runner.executors.http.backoff import Failures, parse_retry_after
from orchestrator_runner.executors.masking import secret_forms
from orchestrator_runner.executors.outcome import without_secrets
from orchestrator_shared.definitions.http_component import HttpComponent
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def section(**more: Any) -> HttpComponent:
    made = {
        "start": {"url": "https://x.test/runs", **more.pop("start", {})},
        "id": "id",
        "poll": {"url": "https://x.test/runs/{{ id }}", "state": "state"},
        "states": {
            "success": ["ok", 10],
            "running": ["going", True],
            "error": ["bad"],
            "user_error": ["wrong"],
        },
        "result": {"message": "message", "output_tables": "tables", "state": "keep"},
        **more,
    }
    return HttpComponent.model_validate(made)


def answer(status: int = 200, **body: Any) -> Answer:
    return Answer(status, "Reason", json.dumps(body).encode())


def poll(reply: Answer | Unanswered) -> Running | Ended | Again:
    made = section()
    assert made.poll is not None
    assert made.states is not None
    return decide_poll(made.poll, made.states, made.result, reply)


@pytest.mark.parametrize(
    ("reply", "is_safe", "expected"),
    [
        (answer(201, id=5), False, Begun),
        (answer(201, id=""), False, Ended),
        (answer(201, id=True), False, Ended),
        (answer(201, id=[1]), False, Ended),
        (answer(302), True, Ended),
        (answer(400), True, Ended),
        (answer(408), False, Again),
        (answer(429), False, Again),
        (answer(503), False, Ended),
        (answer(503), True, Again),
        (Unanswered("refused", was_sent=False), False, Again),
        (Unanswered("cut", was_sent=True), False, Ended),
        (Unanswered("cut", was_sent=True), True, Again),
    ],
)
def test_starts(reply: Answer | Unanswered, is_safe: bool, expected: type) -> None:
    assert type(decide_start(section(), reply, is_safe=is_safe)) is expected


def test_a_repeated_start_that_is_underway_is_waited_for() -> None:
    keeps_keys = section(start={"idempotent": True})
    again = decide_start(keeps_keys, answer(409), is_safe=True, may_have_begun=True)
    assert isinstance(again, Again)
    assert not again.is_refusal
    first = decide_start(keeps_keys, answer(409), is_safe=True)
    assert isinstance(first, Ended)
    assert first.is_over
    other = decide_start(section(), answer(409), is_safe=True, may_have_begun=True)
    assert isinstance(other, Ended)
    assert not other.is_over


def test_a_run_that_the_start_names_may_be_there_already() -> None:
    named = {"url": "https://x.test/runs/{{ job_id }}-{{ attempt }}"}
    start = {**named, "method": "PUT", "expect": [201, 409], "idempotent": True}
    made = section(start=start, id=None, poll={**named, "state": "state"})
    assert decide_start(made, answer(409), is_safe=True) == Begun({})
    with pytest.raises(ValueError, match="an answer 409 has no id: name the run"):
        section(start=start)
    with pytest.raises(ValueError, match="an answer 409 has no id: name the run"):
        HttpComponent.model_validate({"start": start})


def test_only_an_expected_answer_begins() -> None:
    picky = section(start={"expect": [201]})
    assert isinstance(decide_start(picky, answer(201, id=5), is_safe=False), Begun)
    ended = decide_start(picky, answer(202, id=5), is_safe=True)
    assert isinstance(ended, Ended)
    assert ended.outcome.message == "start: answered 202 Reason, expected 201"
    assert not ended.is_over


@pytest.mark.parametrize(
    ("state", "kind", "message"),
    [
        ("bad", ErrorKind.INTERNAL, "the service reports the state 'bad'"),
        ("wrong", ErrorKind.USER, "the service reports the state 'wrong'"),
        (
            "OK",
            ErrorKind.INTERNAL,
            "the service reports the state 'OK', which the component's states do not list",
        ),
        (
            "",
            ErrorKind.INTERNAL,
            "the service reports the state '', which the component's states do not list",
        ),
    ],
)
def test_states_that_end_badly(state: str, kind: ErrorKind, message: str) -> None:
    ended = poll(answer(state=state))
    assert isinstance(ended, Ended)
    assert (ended.outcome.error_kind, ended.outcome.message) == (kind, message)
    assert ended.is_over == (state in ("bad", "wrong"))


def test_a_state_is_not_cut_before_its_secrets_are_masked() -> None:
    """Issue 8, 13: the beginning of a secret that the cut went through is no longer known as one."""
    state = "x" * 197 + "s3cret-of-it"
    verdict = poll(answer(state=state))
    assert isinstance(verdict, Ended)
    masked = without_secrets(verdict.outcome, secret_forms(["s3cret-of-it"]))
    assert "s3c" not in masked.message


def test_states_that_go_on_or_end_well() -> None:
    assert poll(answer(state="going")) == Running("going")
    assert poll(answer(state=True)) == Running("true")
    for state in ("ok", 10, "10"):
        ended = poll(answer(state=state, message={"a": 1}, tables=["in.c-a.b"], keep={"n": 1}))
        assert isinstance(ended, Ended)
        assert ended.outcome.status is JobStatus.SUCCESS
        assert (ended.outcome.message, ended.outcome.state) == ('{"a": 1}', {"n": 1})
        assert str(ended.outcome.output_tables[0].table) == "in.c-a.b"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"tables": {"a": 1}}, "the answer: tables: must be a list"),
        ({"tables": ["nonsense"]}, "the answer: tables[0]: 'nonsense' is not a table name"),
        ({"tables": [{"table": "in.c-a.b", "rows": -1}]}, "the answer: tables[0].rows: must be a number"),
        ({"keep": [1]}, "the answer: keep: the state must be an object"),
    ],
)
def test_a_success_that_reports_nonsense_is_an_internal_error(body: dict[str, Any], message: str) -> None:
    ended = poll(answer(state="ok", **body))
    assert isinstance(ended, Ended)
    assert ended.is_over
    assert ended.outcome.error_kind is ErrorKind.INTERNAL
    assert ended.outcome.message.startswith(message)


def test_only_refusals_count_as_such() -> None:
    verdicts = {status: poll(answer(status)) for status in (302, 401, 404, 408, 425, 429, 500, 503)}
    refused = [
        status for status, verdict in verdicts.items() if isinstance(verdict, Again) and verdict.is_refusal
    ]
    assert refused == [302, 401, 404]


def test_waits_grow_up_to_a_minute_and_begin_anew_after_a_good_answer() -> None:
    failures = Failures(every=5, give_up_after=600)
    again = Again("no")
    assert [failures.next_delay(again, 0) for _ in range(6)] == [5, 10, 20, 40, 60, 60]
    assert failures.next_delay(Again("no", retry_after=100), 0) == 100
    assert failures.next_delay(Again("no", retry_after=1e9), 0) == 300
    assert failures.next_delay(again, 541) is None
    failures.clear()
    assert failures.next_delay(again, 541) == 5


@pytest.mark.parametrize("every", [600, 3600])
def test_whoever_asks_rarely_does_not_give_up_at_the_first_failure(every: float) -> None:
    failures = Failures(every=every, give_up_after=600)
    delays = [failures.next_delay(Again("502"), 7200 + 60 * n) for n in range(11)]
    assert delays == [60] * 10 + [None]


def test_five_refusals_in_a_row_are_enough() -> None:
    failures = Failures(every=1, give_up_after=600)
    refusal = Again("403", is_refusal=True)
    given = [failures.next_delay(each, 0) for each in (*[refusal] * 4, Again("500"), *[refusal] * 5)]
    assert given.index(None) == 9


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120), (" 7 ", 7), ("Sat, 21 Nov 2026 12:01:00 GMT", 60), ("Sat, 21 Nov 2026 11:00:00 GMT", 0),
        ("9" * 400, 999_999_999), ("-5", None), ("soon", None), ("", None), (None, None), ("1.5", None),
    ],
)  # fmt: skip
def test_retry_after(text: str | None, seconds: float | None) -> None:
    assert parse_retry_after(text, NOW) == seconds


def test_an_excerpt_is_short_on_one_line_and_without_secrets() -> None:
    forms = secret_forms({"s3cret-value"})
    body = b"a\r\n\x00b\x1b[31m s3cret-value " + b"x" * 286 + b"s3cret-value"
    shown = excerpt(body, forms)
    assert shown.startswith("a b [31m *** x")
    assert len(shown) == 301
    assert "s3c" not in shown

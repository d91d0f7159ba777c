"""The demo's report and verdict: every expectation can fail, and the report says what was seen."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from orchestrator_local.demo.outcomes import Evidence, Mail, ObservedRun, checks, lateness
from orchestrator_local.demo.report import Places, next_steps, report, verdict

AT = "2026-11-21T10:00:"


def job(name: str, status: str, origin: str, began: str, ended: str, **more: Any) -> dict[str, Any]:
    return {
        "id": f"job-{name}",
        "number": 1,
        "component": "orchestrator",
        "configuration": name,
        "status": status,
        "origin": origin,
        "started_at": AT + began,
        "finished_at": AT + ended,
        **more,
    }


def task(name: str, began: str, ended: str, status: str = "success", message: str = "") -> dict[str, Any]:
    child = {"status": status, "started_at": AT + began, "finished_at": AT + ended, "message": message}
    return {"id": name, "job": {"id": name, **child}}


def good() -> Evidence:
    evidence = Evidence()
    evidence.runs["flights"] = ObservedRun(
        job("flights", "success", "manual", "01Z", "09Z"),
        [
            {"name": "Extract", "tasks": [task("a", "01Z", "05Z"), task("b", "01Z", "03Z")]},
            {"name": "Write", "tasks": [task("c", "06Z", "09Z")]},
        ],
    )
    evidence.runs["carrier-report"] = ObservedRun(job("carrier-report", "success", "trigger", "09.5Z", "11Z"))
    evidence.runs["minutely"] = ObservedRun(
        job("minutely", "success", "schedule", "00.25Z", "01Z", scheduled_for=AT + "00Z")
    )
    evidence.runs["broken"] = ObservedRun(
        job("broken", "error", "manual", "09Z", "10Z"),
        [{"name": "T", "tasks": [task("x", "09Z", "10Z", "error", 'column "dep_dealy" does not exist')]}],
    )
    heard = [{"table": "out.c.one", "heard_at": AT + "05Z"}, {"table": "out.c.two", "heard_at": AT + "09Z"}]
    evidence.trigger = {"tables": heard, "last_fire": {"job_id": "job-carrier-report", "tables": heard}}
    evidence.mail = Mail("admin@example.com", "broken #1 failed", ("Something is wrong",))
    evidence.columns, evidence.rows = ("weather", "flights"), (("fog", "1,234"), ("snow", "9"))
    return evidence


def text_of(evidence: Evidence) -> str:
    return "\n".join(line.plain for line in report(evidence))


def test_a_good_demo_is_told_and_judged_good() -> None:
    told = text_of(good())
    assert "flights #1 ended with success after 8.0 s" in told
    assert "carrier-report #1 started because 2 of 2 tables were updated" in told
    assert "0.50 s after the last of them" in told
    assert "minutely #1 was due at 10:00:00 UTC and started 0.25 s later" in told
    assert 'column "dep_dealy" does not exist' in told
    assert "broken #1 failed" in told
    assert "weather  flights\n   fog        1,234\n   snow           9" in told
    assert [check.text for check in checks(good()) if not check.holds] == []
    assert verdict(checks(good()))[0].plain == "Every outcome was the expected one."


def _slow(evidence: Evidence) -> None:
    evidence.runs["minutely"].job["started_at"] = AT + "19Z"


def _sequential(evidence: Evidence) -> None:
    evidence.runs["flights"].phases[0]["tasks"] = [task("a", "01Z", "02Z"), task("b", "03Z", "04Z")]


def _overlapping(evidence: Evidence) -> None:
    evidence.runs["flights"].phases[1]["tasks"] = [task("c", "04Z", "09Z")]


SPOILERS: list[tuple[str, Callable[[Evidence], None]]] = [
    ("flights", lambda e: e.runs["flights"].job.update(status="error")),
    ("carrier-report", lambda e: e.runs["carrier-report"].job.update(origin="manual")),
    ("two of two", lambda e: e.trigger["last_fire"].update(job_id="another")),
    ("two of two", lambda e: e.trigger["last_fire"]["tables"].pop()),
    ("full minute", _slow),
    ("broken", lambda e: e.runs["broken"].job.update(status="success")),
    ("mail", lambda e: setattr(e, "mail", None)),
    ("rows", lambda e: setattr(e, "rows", ())),
    ("same time", _sequential),
    ("when the one before has ended", _overlapping),
]


@pytest.mark.parametrize(("named", "spoil"), SPOILERS)
def test_each_expectation_can_fail(named: str, spoil: Callable[[Evidence], None]) -> None:
    evidence = copy.deepcopy(good())
    spoil(evidence)
    failed = [check.text for check in checks(evidence) if not check.holds]
    assert len(failed) == 1
    assert named in failed[0]
    assert text_of(evidence)


def test_nothing_observed_is_a_report_too() -> None:
    told = text_of(Evidence())
    assert "carrier-report was not started" in told
    assert "minutely did not fire" in told
    assert not any(check.holds for check in checks(Evidence()) if "phase begins" not in check.text)


def test_a_server_elsewhere_shows_the_delivery_instead_of_the_mail() -> None:
    evidence = good()
    evidence.sees_mails, evidence.mail, evidence.rows, evidence.sees_warehouse = False, None, (), False
    evidence.delivery = {"recipient": "admin@example.com", "status": "sent"}
    assert "Mail to admin@example.com: sent" in text_of(evidence)
    assert all(check.holds for check in checks(evidence))


def test_what_others_wrote_cannot_steer_the_terminal() -> None:
    evidence = good()
    evidence.mail = Mail("a@b", "red \x1b[31m", ("\x1b]0;title\x07",))
    assert "\x1b" not in text_of(evidence)


def test_lateness_needs_a_start() -> None:
    assert lateness({"scheduled_for": AT + "00Z"}) is None


def test_suggested_commands_reach_a_stack_in_another_folder() -> None:
    option = " --state-dir /tmp/other"
    places = Places("http://127.0.0.1:1", "token", "x.yaml", "orchestrator", "", state_dir_option=option)
    told = "\n".join(line.plain for line in next_steps(places))
    assert f'eval "$(orchestrator dev context{option})"' in told
    assert f"demo --crash{option}" in told


def test_where_to_look_on_names_everything() -> None:
    places = Places("http://127.0.0.1:1", "secret-token", "x.yaml", "orchestrator", "make down")
    told = "\n".join(line.plain for line in next_steps(places))
    for wanted in (
        "http://127.0.0.1:1/docs",
        "secret-token",
        "apply -f x.yaml",
        "make down",
        "triggers explain",
    ):
        assert wanted in told


def test_the_way_to_sign_in_is_shown_where_there_is_one() -> None:
    places = Places("http://127.0.0.1:1", "token", "x.yaml", "orchestrator", "make down")
    assert "Sign in" not in "\n".join(line.plain for line in next_steps(places))
    link = "http://127.0.0.1:1/links/abc"
    shown = "\n".join(line.plain for line in next_steps(replace(places, sign_in=link)))
    assert f"Sign in {link}   (choose a password; works once)" in shown

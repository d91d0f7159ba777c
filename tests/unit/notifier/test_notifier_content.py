"""What mails say, and that nothing can be smuggled into them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestrator_notifier.adapters.composing import Composer
from orchestrator_notifier.domain.addresses import Sender
from orchestrator_notifier.domain.content import (
    Audience,
    Content,
    Tone,
    missed_content,
    run_content,
    start_text,
)
from orchestrator_notifier.domain.facts import Reason
from orchestrator_notifier.domain.report import FailedTask, MissedReport, RunReport, Start, deepest
from orchestrator_shared.domain.statuses import EndReason, JobStatus, Origin

AT = datetime(2026, 11, 21, 5, 30, tzinfo=UTC)
URL = "https://orchestrator.example.com"
SUBSCRIBER = Audience("error", Reason.SUBSCRIPTION, "a@example.com")
COMPOSER = Composer(Sender.parse("o@example.com"))
ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)


def task(*path: str, what: str = "sql-transformation/recipients", **fields: Any) -> FailedTask:
    values: dict[str, Any] = {
        "path": path,
        "names": path,
        "phase": "Transform",
        "what": what,
        "status": JobStatus.ERROR,
        "continued": False,
        "job_id": UUID(int=9),
        "message": "no such column",
        "attempts": 1,
        "started_at": AT,
        "finished_at": AT + timedelta(seconds=90),
        "is_run": False,
        **fields,
    }
    return FailedTask(**values)


RUN = RunReport(
    id=UUID(int=42),
    number=42,
    project="demo",
    project_name="Demo",
    orchestration="campaigns",
    name="Campaign reporting",
    status=JobStatus.ERROR,
    start=Start(Origin.SCHEDULE, schedule="weekdays"),
    stopped_by=None,
    scheduled_for=AT,
    started_at=AT,
    finished_at=AT + timedelta(minutes=7),
    message="failed: recipients",
    end_reason=EndReason.TASKS_FAILED,
    version=7,
    root=None,
    failed=[task("recipients")],
    failed_count=1,
    counts={"success": 3, "error": 1, "skipped": 2, "not_executed": 1},
    to_repeat=["recipients", "mailchimp"],
)


@pytest.mark.parametrize("reason", [*EndReason, None])
def test_the_messages_of_tasks_are_not_repeated(reason: EndReason | None) -> None:
    """Told by the reason: a message is for people, and may be worded anew."""
    counts, message = {"success": 3, "warning": 1}, "in other words"
    run = replace(RUN, failed=[], failed_count=0, counts=counts, message=message, end_reason=reason)
    told = run_content(run, SUBSCRIBER, None).summary
    assert (message in told) == (reason is None or not reason.names_tasks)


def compose(content: Content) -> Any:
    message = COMPOSER.compose(
        content, recipient="a@example.com", message_id="<1@example.com>", thread="<t@example.com>", at=AT
    )
    return message_from_bytes(message.as_bytes(), policy=policy.default)


def test_a_failure_is_named_in_the_subject() -> None:
    content = run_content(RUN, SUBSCRIBER, URL)
    assert content.subject == "[demo] campaigns #42 failed: recipients"
    assert content.summary == "3 of 5 tasks succeeded, 1 failed, 1 not executed."
    assert ("Started by", "schedule weekdays") in content.rows
    assert ("Duration", "7 min") in content.rows
    assert content.problems[0].title == "recipients (sql-transformation/recipients)"
    assert content.problems[0].note == "phase Transform · error · 1 min 30 s"
    assert [action.command for action in content.actions] == [
        f"orchestrator jobs show {RUN.id} --project demo",
        "orchestrator run campaigns --project demo --task recipients --task mailchimp",
    ]
    page = f"{URL}/projects/demo/orchestrations/campaigns"
    assert [action.url for action in content.actions] == [f"{page}/runs/42", f"{page}/runs/42/retry"]
    assert content.change_url == page
    assert "subscribed to the event “error”" in content.why


def test_many_failures_are_counted() -> None:
    failed = [task(f"t{n}", what=f"script/t{n}", attempts=3, continued=True) for n in range(12)]
    report = replace(RUN, failed=failed, failed_count=40, to_repeat=[f"t{n}" for n in range(11)])
    content = run_content(report, SUBSCRIBER, None)
    assert content.subject == "[demo] campaigns #42 failed: t0, t1 and 38 more"
    assert (len(content.problems), content.more) == (10, "and 30 more tasks")
    assert (
        content.problems[0].note
        == "phase Transform · error · after 3 attempts · 1 min 30 s · the run continued"
    )
    assert content.actions[1].command == "orchestrator run campaigns --project demo"
    assert (content.actions[0].url, content.change_url) == (None, None)


def test_other_ends_have_their_words() -> None:
    whole = replace(
        RUN,
        status=JobStatus.SUCCESS,
        failed=[],
        failed_count=0,
        counts={"success": 5},
        message="",
        end_reason=None,
    )
    success = run_content(whole, Audience("success", Reason.STARTER, "me@example.com"), URL)
    assert (success.subject, success.tone) == ("[demo] campaigns #42 succeeded", Tone.SUCCESS)
    assert success.why == "You get this because you started this run as me@example.com."
    assert len(success.actions) == 1
    recovered = run_content(whole, replace(SUBSCRIBER, event="recovered"), URL)
    assert (recovered.subject, recovered.badge) == ("[demo] campaigns #42 recovered", "Recovered")
    refused = replace(
        RUN, failed=[], failed_count=0, counts={}, message="it has no tasks", started_at=None, end_reason=None
    )
    content = run_content(refused, SUBSCRIBER, URL)
    assert content.summary == "it has no tasks"
    assert ("Started", "never") in content.rows


def test_every_origin_has_words() -> None:
    assert start_text(Start(Origin.TRIGGER, trigger="crm")) == "trigger crm (its tables were updated)"
    assert start_text(Start(Origin.MANUAL, requested_by="jane")) == "jane by hand"
    assert all(start_text(Start(origin)) for origin in Origin)
    nested = replace(RUN, root=(UUID(int=1), "outer", 3))
    assert ("Started by", "nested in outer #3, which was started by schedule weekdays") in run_content(
        nested, SUBSCRIBER, URL
    ).rows


def test_a_nested_run_gives_way_to_what_failed_in_it() -> None:
    tasks = [task("inner", is_run=True), task("inner", "load"), task("other"), task("empty", is_run=True)]
    assert [each.path for each in deepest(tasks)] == [("inner", "load"), ("other",), ("empty",)]


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.sources += [value or "" for name, value in attrs if name in {"src", "href", "background"}]


@settings(max_examples=40, deadline=None)
@given(ANYTHING, ANYTHING, ANYTHING)
@example("=?utf-8?q?=0d=0aBcc:_b@example.com?=", "=?utf-8?b?DQpCY2M6IGJAZQ==?=", "x")
def test_nothing_can_be_smuggled_into_a_mail(name: str, text: str, log: str) -> None:
    hostile = task(name, what=f"script/{name}", message=f"{text}<script>x</script>", log=log, phase=name)
    report = replace(
        RUN, name=name, project_name=text, failed=[hostile], message=text, stopped_by=text, to_repeat=[name]
    )
    mail = compose(run_content(report, SUBSCRIBER, URL))
    assert sorted(mail.keys()) == sorted(compose(run_content(RUN, SUBSCRIBER, URL)).keys())
    assert len(mail["Subject"]) <= 160
    tags = _Tags()
    tags.feed(mail.get_body(("html",)).get_content())
    assert "script" not in tags.tags
    assert "img" not in tags.tags
    assert all(source.startswith(URL) for source in tags.sources)


def test_long_texts_are_cut() -> None:
    failed = [task(f"t{n}", message="m" * 100_000, log=("l" * 5000 + "\n") * 500) for n in range(10)]
    mail = compose(run_content(replace(RUN, failed=failed, failed_count=10), SUBSCRIBER, URL))
    assert len(mail.as_bytes()) < 300_000


def test_headers_keep_mails_together_and_answers_away() -> None:
    mail = compose(run_content(RUN, SUBSCRIBER, URL))
    assert mail["From"] == "Orchestrator <o@example.com>"
    assert mail["Message-ID"] == "<1@example.com>"
    assert mail["References"] == mail["In-Reply-To"] == "<t@example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert COMPOSER.thread("demo", "campaigns") == "<orchestration.demo.campaigns@example.com>"


def test_missed_fires_and_late_tables() -> None:
    missed = MissedReport("demo", "campaigns", "weekdays", "30 5 * * * (UTC)", 1, AT, AT)
    content = missed_content(missed, Audience("schedule_missed", Reason.SUBSCRIPTION, "a@example.com"), URL)
    assert content.subject == "[demo] campaigns missed 1 fire of schedule weekdays"
    assert content.summary == "1 fire of the schedule passed while no scheduler ran, and was not made up."
    assert content.actions[0].url == f"{URL}/projects/demo/orchestrations/campaigns"
    late = MissedReport("demo", "campaigns", "crm", last=AT, late_tables=["in.c-crm.contacts"], late_count=4)
    content = missed_content(late, Audience("deadline_missed", Reason.SUBSCRIPTION, "a@example.com"), None)
    assert content.subject == "[demo] campaigns: tables of trigger crm are late"
    assert ("Late tables", "in.c-crm.contacts and 3 more") in content.rows
    assert [action.label for action in content.actions] == ["Run it now"]
    assert compose(content)["Subject"] == content.subject

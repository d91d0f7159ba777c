"""The section http of a component's document: what is accepted, stored, and refused with its place."""

from typing import Any

import pytest

from orchestrator_shared.definitions.export import to_document
from orchestrator_shared.definitions.http_component import HttpComponent
from orchestrator_shared.definitions.loader import load_text, parse_documents
from orchestrator_shared.definitions.models import ComponentDocument

DBT = """\
component: dbt-cloud
name: dbt Cloud job
type: transformation
executor: http
http:
  headers: {Authorization: "Bearer {{ parameters.#token }}"}
  start:
    url: https://cloud.test/jobs/{{ parameters.job }}/run
    body: {cause: "{{ project }}/{{ job_id }}"}
    expect: [200, 201]
  id: data.id
  poll: {url: "https://cloud.test/runs/{{ id }}", every: 10s, state: data.status, give_up_after: 1h}
  states: {success: [10], error: [20], user_error: [30], running: [1, 2, 3]}
  result: {message: data.status_message}
  cancel: {url: "https://cloud.test/runs/{{ id }}/cancel"}
parameters: {type: object}
"""


def read(text: str = DBT) -> ComponentDocument:
    definition = load_text(text).require()[0].definition
    assert isinstance(definition, ComponentDocument)
    return definition


def problems(old: str, new: str) -> list[tuple[str | None, str]]:
    assert old in DBT
    return [(problem.path, problem.message) for problem in load_text(DBT.replace(old, new)).problems]


def test_what_is_written_is_what_is_stored_and_read_back() -> None:
    document = read()
    stored = document.model_dump(mode="json")
    assert stored["http"]["poll"]["every_seconds"] == 10
    assert HttpComponent.model_validate(stored["http"]) == document.http
    assert parse_documents([to_document(document)]).require()[0].definition == document


def test_a_component_of_another_executor_has_no_such_section() -> None:
    text = "component: a\nname: A\ntype: application\ncommand: [x]\n"
    assert "http" not in read(text).model_dump(mode="json")
    for wrong in (text + "http: {start: {url: 'https://x.test/'}}\n", text + "executor: http\n"):
        assert "belong together" in load_text(wrong).problems[0].message


@pytest.mark.parametrize(
    ("old", "new", "path", "message"),
    [
        ("every: 10s", "evry: 10s", "http.poll.evry", "unknown key; did you mean `every`?"),
        ("every: 10s", "every: soon", "http.poll.every", "'soon' is not a duration"),
        ("every: 10s", "every: 0", "http.poll.every", "at least 1 second"),
        ("data.status,", "data..status,", "http.poll.state", "expected keys joined by dots"),
        ("{{ project }}", "{{ vars.x }}", "http.start", "{{ vars.x }} is not known"),
        ("{{ project }}", "{{ project.x }}", "http.start", "{{ project.x }} is not known"),
        ("{{ project }}", "{{ id }}", "http", "{{ id }} is not known until the start has been answered"),
        ("  id: data.id\n", "", "http", "id: give its path in the answer to the start"),
        ("https://cloud.test/jobs", "ftp://cloud.test/jobs", "http.start", "expected https://host/path"),
        ("Authorization:", "Host:", "http", "Host is set by the orchestrator"),
        ("Authorization:", "'Bad Name':", "http", "not a valid header name"),
        ('"Bearer ', '"Bearer\\n', "http", "a line break or control character"),
        ("user_error: [30]", "user_error: [20]", "http.states", "duplicate state '20'"),
        ("success: [10]", "success: []", "http.states.success", "at least 1"),
        ("expect: [200, 201]", "expect: [302]", "http.start.expect[0]", "expected 200 to 299, or 409"),
        ("executor: http\n", "executor: process\ncommand: [x]\n", "", "belong together"),
    ],
)
def test_problems_are_reported_with_their_place(old: str, new: str, path: str, message: str) -> None:
    found = problems(old, new)
    assert len(found) == 1
    assert found[0][0] == path
    assert message in found[0][1]


def test_poll_and_states_belong_together() -> None:
    start: dict[str, Any] = {"start": {"url": "https://x.test/"}}
    HttpComponent.model_validate(start)
    with pytest.raises(ValueError, match="states belong to poll or callback"):
        HttpComponent.model_validate({**start, "states": {"success": ["ok"]}})
    with pytest.raises(ValueError, match="a GET request has none"):
        HttpComponent.model_validate({"start": {"url": "https://x.test/", "method": "GET", "body": {}}})


CALLED_BACK: dict[str, Any] = {
    "start": {"url": "https://x.test/", "body": {"notify": "{{ callback_url }}"}},
    "callback": {"state": "status"},
    "states": {"success": ["ok"]},
}


def test_a_callback_needs_no_poll() -> None:
    section = HttpComponent.model_validate(CALLED_BACK)
    assert section.is_followed
    assert HttpComponent.model_validate(section.model_dump(mode="json")) == section
    assert "callback" not in HttpComponent.model_validate({"start": {"url": "https://x.test/"}}).model_dump()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": {"url": "https://x.test/"}}, "the start has to hand over the address"),
        ({"callback": None}, "states belong to poll or callback"),
        ({"callback": None, "states": None}, "needs the section callback"),
        ({"callback": {}}, "give the path of the state in the report"),
        ({"states": None}, "states belong to poll or callback"),
        ({"cancel": {"url": "https://x.test/{{ callback_url }}"}}, "can only be used in the start"),
        ({"headers": {"X": "{{ callback_url }}"}}, "can only be used in the start"),
        ({"callback": {"state": "status", "give_up_after": "31d"}}, "give_up_after"),
    ],
)
def test_mistakes_in_a_callback_are_reported(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HttpComponent.model_validate({**CALLED_BACK, **change})


def test_only_what_later_requests_put_in_is_needed_of_the_start() -> None:
    section = {
        "start": {"url": "https://x.test/"},
        "poll": {"url": "{{ start.links.self }}", "state": "s", "headers": {"X": "{{ start.key }}"}},
        "states": {"success": ["ok"]},
        "cancel": {"url": "https://x.test/{{ start.links.cancel }}/{{ job_id }}"},
    }
    assert HttpComponent.model_validate(section).needed_of_start() == {
        "links.self",
        "key",
        "links.cancel",
    }

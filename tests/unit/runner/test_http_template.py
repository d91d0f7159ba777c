"""How requests are filled in, and what a value cannot do."""

from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_runner.executors.http.template import (
    MISSING,
    find,
    parse_address,
    picked,
    prepare,
    render_url,
)
from orchestrator_shared.definitions.http_component import HttpRequest
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.reports import InvalidReport

NAMES: dict[str, Any] = {
    "job_id": "7",
    "attempt": 2,
    "parameters": {
        "job": "a b",
        "#token": "s3cret",
        "n": 3,
        "on": True,
        "list": [1],
        "no": None,
        "empty": "",
    },
    "state": None,
}


def url(template: str, **more: Any) -> str:
    names = {**NAMES, "parameters": {**NAMES["parameters"], **more}}
    return str(parse_address(render_url(template, names, field="url"), field="url").target)


def test_values_stay_what_they_are_in_a_url() -> None:
    assert url("https://x.test/j/{{parameters.job}}/r?n={{ parameters.n }}") == "/j/a%20b/r?n=3"
    hostile = "../admin?x=1#y&z@evil.test/"
    assert url("https://x.test/j/{{ parameters.v }}/r", v=hostile) == (
        "/j/..%2Fadmin%3Fx%3D1%23y%26z%40evil.test%2F/r"
    )
    assert url("https://x.test/j?v={{ parameters.empty }}") == "/j?v="
    assert url("{{ parameters.base }}/runs", base="https://y.test/api") == "/api/runs"
    assert url("https://x.test/{{ parameters.v }}", v="{{ job_id }}") == "/%7B%7B%20job_id%20%7D%7D"
    assert url("https://x.test/ž") == "/%C5%BE"


@pytest.mark.parametrize(
    ("template", "more", "message"),
    [
        ("https://x.test/{{ parameters.v }}/r", {"v": ".."}, "segment"),
        ("https://x.test/{{ parameters.v }}/r", {"v": "."}, "segment"),
        ("https://x.test/%2e%2E/r", {}, "segment"),
        ("https://x.test/{{ parameters.empty }}/r", {}, "is empty"),
        ("https://x.test/{{ parameters.nothing }}", {}, "is not set"),
        ("https://x.test/{{ parameters.list }}", {}, "cannot be part of a text"),
        ("{{ parameters.v }}/r", {"v": "file:///etc/passwd"}, "is not a URL"),
        ("{{ parameters.v }}/r", {"v": "https://user:pw@x.test"}, "user or password"),
        ("{{ parameters.v }}/r", {"v": "https://x.test\\@evil.test"}, "user or password"),
        ("{{ parameters.v }}/r", {"v": "https://x.test/a\\b"}, "backslash"),
        ("{{ parameters.v }}/r", {"v": "https://x.test/\r\nHost: y"}, "control character"),
        ("{{ parameters.v }}/r", {"v": "https://x.test:99999"}, "is not a URL"),
        ("{{ parameters.v }}/r", {"v": "https://žlutý.test"}, "in ASCII"),
        ("https://{{ parameters.v }}/r", {"v": "x.test/evil"}, "is not a URL"),
    ],
)
def test_what_would_lead_elsewhere_is_refused(template: str, more: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        url(template, **more)
    assert caught.value.field == "url"


@given(
    value=st.text(min_size=1, max_size=30) | st.sampled_from(["..", "%2e%2e", "a/../b", "@x", ":80", "\\\\x"])
)
def test_no_value_changes_where_a_request_goes(value: str) -> None:
    template = "https://x.test/a/{{ parameters.v }}/b?q={{ parameters.v }}"
    try:
        made = parse_address(render_url(template, {"parameters": {"v": value}}, field="url"), field="url")
    except UserError:
        assert value in (".", "..")
        return
    path, _, query = made.target.partition("?")
    assert (made.host, made.port) == ("x.test", 443)
    assert path.split("/")[1] == "a"
    assert path.split("/")[3:] == ["b"]
    assert unquote(path.split("/")[2]) == value
    assert unquote(query.removeprefix("q=")) == value
    assert "&" not in query


def request(**fields: Any) -> HttpRequest:
    return HttpRequest.model_validate({"method": "POST", "url": "https://x.test/", **fields})


def test_a_body_keeps_the_types_of_whole_values() -> None:
    body = {
        "all": "{{ parameters.list }}",
        "n": "{{ parameters.n }}",
        "t": "n={{ parameters.n }}",
        "s": ["{{ state }}"],
    }
    made = prepare(request(body=body), {}, NAMES, field="start")
    assert made.body == b'{"all": [1], "n": 3, "t": "n=3", "s": [null]}'
    assert made.headers == (("Content-Type", "application/json"),)
    text = prepare(request(body="on={{ parameters.on }}&no={{ parameters.no }}"), {}, NAMES, field="start")
    assert text.body == b"on=true&no="
    assert prepare(request(), {}, NAMES, field="start").body is None


def test_headers_of_the_request_win_whatever_their_case() -> None:
    common = {"authorization": "none", "X-A": "{{ attempt }}"}
    made = prepare(
        request(headers={"Authorization": "Bearer {{ parameters.#token }}"}), common, NAMES, field="s"
    )
    assert sorted(made.headers) == [("Authorization", "Bearer s3cret"), ("X-A", "2")]


def test_a_value_cannot_add_a_header() -> None:
    names = {"parameters": {"v": "x\r\nHost: evil"}}
    with pytest.raises(UserError, match="line break"):
        prepare(request(headers={"X": "{{ parameters.v }}"}), {}, names, field="start")


def test_what_the_answer_lacks_is_the_services_fault() -> None:
    with pytest.raises(InvalidReport, match="not in the answer to the start"):
        render_url("https://x.test/{{ start.links.self }}", {**NAMES, "start": {}}, field="url")


def test_what_a_first_run_lacks_is_nothing() -> None:
    assert url("https://x.test/?since={{ previous_success }}{{ state.cursor }}") == "/?since="


def test_paths_lead_through_objects_and_lists() -> None:
    data = {"items": [{"id": 5}], "0": "zero"}
    assert find(data, "items.0.id") == 5
    assert find(data, "0") == "zero"
    for path in ("items.1.id", "items.-1", "items.x", "items.0.id.x", "none", "items.²"):
        assert find(data, path) is MISSING


def test_an_address_shows_no_query_and_brackets_ipv6() -> None:
    address = parse_address("https://[2606:4700::1]:8443/a?key=s3cret", field="url")
    assert str(address) == "https://[2606:4700::1]:8443/a"
    assert address.host == "2606:4700::1"
    assert address.target == "/a?key=s3cret"


def test_the_part_of_an_answer_that_is_needed() -> None:
    data = {"links": {"self": "u", "other": "v"}, "items": [{"id": 1}, {"id": 2}], "large": "x" * 9}
    assert picked(data, ["links.self", "items.1.id", "nowhere.at.all"]) == {
        "links": {"self": "u"},
        "items": {"1": {"id": 2}},
    }
    assert picked(data, ["items", "items.0.id"]) == {"items": data["items"]}
    assert picked(data, [""]) == data
    assert picked(data, []) == {}

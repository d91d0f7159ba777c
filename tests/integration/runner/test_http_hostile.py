"""Services that answer badly, slowly or too much, and requests that must not be sent or told."""

from typing import Any

import pytest
from tests.support.http_harness import HttpHarness
from tests.support.http_service import Reply

from orchestrator_shared.domain.statuses import ErrorKind, JobStatus

BAD_ANSWERS = [
    Reply(200, b"{not json"),
    Reply(200, b"\xff\xfe"),
    Reply(200, b"[" * 100_000),
    Reply(200, [1]),
    Reply(200, {"data": None}),
    Reply(200, {"data": {"status": {"of": "what"}}}),
    Reply(200, {"data": {"status": None}}),
    Reply(200, {"data": {"status": "\0"}}),
    Reply(200, b"\x1f\x8b", {"Content-Encoding": "gzip"}),
    Reply(500, b"trouble t0ken-of-ours"),
    Reply(raw=b"\x00\x01 not http\r\n\r\n"),
    Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"),
    Reply(raw=b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000),
    Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    Reply(raw=b"HTTP/1.1 200 OK\r\n\r\n", endless=b" " * 65_536),
    Reply(cut=True),
]


async def test_a_bad_answer_is_not_believed_but_asked_again(http: HttpHarness) -> None:
    for bad in BAD_ANSWERS:
        http.runs.states = [bad, "running", bad, "ok"]
        assert (await http.run(poll={"every": 1})).status is JobStatus.SUCCESS, bad
    assert sum("again in" in line for line in http.lines) == 2 * len(BAD_ANSWERS)
    assert b"t0ken" not in http.log.text("stderr")
    assert b"is larger than 1048576 bytes" in http.log.text("stderr")
    assert b"is compressed" in http.log.text("stderr")


async def test_slow_answers_end_at_the_timeout(http: HttpHarness) -> None:
    """Each byte comes in time, and the whole never does."""
    slow = Reply(raw=b"HTTP/1.1 200 OK\r\n", endless=b"X: y\r\n", pause=0.05)
    dripping = Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", endless=b" ", pause=0.05)
    continuing = Reply(raw=b"", endless=b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.05)
    http.runs.states = [Reply(hang=True), slow, dripping, continuing, "ok"]
    assert (await http.run(poll={"timeout": 1, "give_up_after": 86_400})).status is JobStatus.SUCCESS
    assert sum("poll: no answer within 1 s; again in" in line for line in http.lines) == 4


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"start": {"url": "http://127.0.0.1:{{ parameters.none }}/"}}, "{{ parameters.none }} is not set"),
        ({"start": {"url": "ftp://x/"}}, "the component cannot be used"),
        ({"start": {"headers": {"X": "{{ parameters.behaviour }}\u017e\u0001"}}}, "control character"),
        ({"states": {"success": []}}, "the component cannot be used"),
    ],
)
async def test_what_cannot_be_sent_is_the_users_error(
    http: HttpHarness, sections: dict[str, Any], message: str
) -> None:
    outcome = await http.run(**sections)
    assert (outcome.status, outcome.error_kind) == (JobStatus.ERROR, ErrorKind.USER)
    assert message in outcome.message
    assert outcome.message.startswith("http.")
    assert http.service.received == []


async def test_proxies_of_the_environment_are_not_asked(
    http: HttpHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert (await http.run()).status is JobStatus.SUCCESS


async def test_secrets_in_addresses_and_headers_are_not_revealed(http: HttpHarness) -> None:
    """What the executor writes is masked by `LogCapture`; queries and headers do not even get there."""
    secret = "p@ss w0rd/+"
    config = {"parameters": {"#key": secret}}
    fields = {"config": config, "secrets": frozenset({secret, "t0ken-of-ours"})}
    url = f"{http.service.url}/runs?key={{{{ parameters.#key }}}}"
    start = {"url": url, "headers": {"X": "{{ parameters.#key }}"}}
    answers = [
        Reply(201, {"data": {"id": 41}}),
        Reply(500, f"bad key {secret}, p%40ss%20w0rd%2F%2B".encode()),
        Reply(200, {"data": {"status": "failed", "message": f"no such key: {secret}"}}),
    ]
    http.service.handle = lambda _: answers.pop(0)
    outcome = await http.run(start=start, fields=fields)
    assert outcome.message == "no such key: ***"
    assert "p%40ss%20w0rd%2F%2B" in http.service.received[0].target
    told = http.log.text("stderr").decode()
    assert "bad key ***, ***" in told
    assert "p@ss" not in told
    assert "p%40ss" not in told


async def test_a_secret_address_is_not_revealed_in_another_spelling(http: HttpHarness) -> None:
    secret = f"HTTP://127.0.0.1:{http.service.port}/hooks/s3cret-of-theirs?sig=hidden-too"
    fields = {"config": {"parameters": {"#hook": secret}}, "secrets": frozenset({secret})}
    alone = {"poll": None, "states": None, "id": None, "cancel": None, "headers": None}
    assert (
        await http.run(**alone, start={"url": "{{ parameters.#hook }}"}, fields=fields)
    ).status is JobStatus.SUCCESS
    assert http.service.received[0].target == "/hooks/s3cret-of-theirs?sig=hidden-too"
    assert f"POST http://127.0.0.1:{http.service.port}***: answered" in http.lines[0]
    assert "s3cret" not in "".join(http.lines)

"""Job tokens: only what we signed counts, and only until it expires."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from orchestrator_shared.job_tokens import sign_job_token, verify_job_token

OLD, NEW = os.urandom(32), os.urandom(32)
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def test_a_job_token_says_what_was_signed_until_it_expires() -> None:
    job = uuid4()
    text = sign_job_token(OLD, job, 2, ["tables:publish"], NOW + timedelta(minutes=5))
    token = verify_job_token([NEW, OLD], text, now=NOW)
    assert token is not None
    assert (token.job_id, token.attempt, token.scopes) == (job, 2, ("tables:publish",))
    assert verify_job_token([OLD], text, now=NOW + timedelta(minutes=5)) is None
    assert verify_job_token([NEW], text, now=NOW) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t[:-2] + "xx",
        lambda t: t.replace("orcjob_e", "orcjob_f"),
        lambda _: "orcjob_.",
        lambda _: "ěš",
    ],
)
def test_a_changed_job_token_is_worth_nothing(change: Any) -> None:
    text = sign_job_token(OLD, uuid4(), 1, [], NOW + timedelta(minutes=5))
    assert verify_job_token([OLD], change(text), now=NOW) is None

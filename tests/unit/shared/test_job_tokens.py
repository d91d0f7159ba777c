"""Job tokens: only what we signed counts, and only until it expires."""

import base64
import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest

from orchestrator_shared.job_tokens import (
    JOB_TOKEN,
    MAX_CHARACTERS,
    JobToken,
    job_token_keys,
    sign_job_token,
    verify_job_token,
)

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
OLD, NEW = job_token_keys([os.urandom(32), os.urandom(32)])
TOKEN = JobToken(UUID(int=7), 2, "demo", ("job", "publish"), NOW + timedelta(minutes=5))


def test_a_job_token_says_what_was_signed_until_it_expires() -> None:
    text = sign_job_token(OLD, TOKEN)
    assert verify_job_token([NEW, OLD], text, now=NOW) == TOKEN
    assert verify_job_token([OLD], text, now=NOW + timedelta(minutes=5)) is None
    assert verify_job_token([NEW], text, now=NOW) is None


def test_the_longest_one_fits() -> None:
    longest = JobToken(UUID(int=2**128 - 1), 2**31, "p" * 64, ("job", "publish"), NOW)
    assert len(sign_job_token(OLD, longest)) < MAX_CHARACTERS


def test_its_key_is_neither_the_encryption_key_nor_leads_to_another() -> None:
    key = os.urandom(32)
    (derived,) = job_token_keys([key])
    assert derived != key
    assert verify_job_token([key], sign_job_token(derived, TOKEN), now=NOW) is None


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def without_signature(text: str) -> str:
    _, claims, _ = text.removeprefix(JOB_TOKEN).split(".")
    return f"{JOB_TOKEN}{part({'alg': 'none', 'typ': 'JWT'})}.{claims}."


def of_another_purpose(_: str) -> str:
    claims = {"aud": "orchestrator-link-invite", "sub": str(TOKEN.job_id), "exp": NOW.timestamp() + 60}
    return JOB_TOKEN + jwt.encode(claims, OLD, algorithm="HS256")


def with_another_algorithm(text: str) -> str:
    claims = jwt.decode(text.removeprefix(JOB_TOKEN), options={"verify_signature": False})
    return JOB_TOKEN + jwt.encode(claims, OLD + OLD, algorithm="HS512")


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t[:-2] + "xx",
        lambda t: t.replace("orcjob_e", "orcjob_f"),
        lambda t: t.removeprefix(JOB_TOKEN),
        lambda t: t + "x" * MAX_CHARACTERS,
        lambda _: "orcjob_.",
        lambda _: "orcjob_..",
        lambda _: "ěš",
        without_signature,
        of_another_purpose,
        with_another_algorithm,
    ],
)
def test_a_changed_job_token_is_worth_nothing(change: Any) -> None:
    assert verify_job_token([OLD], change(sign_job_token(OLD, TOKEN)), now=NOW) is None

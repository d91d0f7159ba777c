"""Whatever text comes in, it is read or refused with a reason: never another exception."""

from contextlib import suppress
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator_shared.definitions.loader import load_text, parse_documents
from orchestrator_shared.domain.cron import Cron, CronError, Every, next_fires
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.zones import parse_zone
from orchestrator_shared.job_tokens import verify_job_token
from orchestrator_shared.secret_handles import restore_masked
from orchestrator_shared.secret_places import of_parameters
from orchestrator_shared.security import (
    Encryption,
    mask_secrets,
    parse_token_id,
)

NOW = datetime(2026, 3, 28, 12, tzinfo=UTC)
FIELD = st.text(alphabet="0123456789*/-,LWRH#?jansu", min_size=1, max_size=6)
PLACE = of_parameters("demo", "csv-source", "orders")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
KEYS = [
    "orchestration",
    "configuration",
    "phases",
    "tasks",
    "run",
    "schedules",
    "cron",
    "notify",
    "variables",
]
DOCUMENT = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), JSON, max_size=5)


@settings(max_examples=200, deadline=None)
@given(st.lists(FIELD, min_size=5, max_size=5).map(" ".join) | st.text(max_size=30))
def test_cron(text: str) -> None:
    refused_at, fires = 1, []
    try:
        fires = next_fires(Cron.parse(text), NOW, parse_zone("Europe/Prague"), 3)
    except CronError as error:
        refused_at = error.position
    assert 1 <= refused_at <= len(text) + 1
    assert [fire.at for fire in fires] == sorted({fire.at for fire in fires})


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_intervals_and_zones(value: object) -> None:
    for parse in (Every.parse, parse_zone):
        with suppress(UserError):
            parse(value)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="orchestain:{}[]&*!|>-<'\"#\n\t 1é\x00\ufeff", max_size=60))
def test_yaml(text: str) -> None:
    loaded = load_text(text)
    assert loaded.problems or all(document.raw for document in loaded.documents)


@settings(max_examples=150, deadline=None)
@given(st.lists(DOCUMENT | JSON, max_size=3))
def test_documents(raws: list[object]) -> None:
    loaded = parse_documents(raws)
    assert len(loaded.documents) + len(loaded.problems) >= len(raws)


@settings(max_examples=100, deadline=None)
@given(JSON, st.text(max_size=80))
def test_secrets_and_tokens(value: object, text: str) -> None:
    mask_secrets(value)
    assert restore_masked(value, {}, {}) == value or "nan" in repr(value)
    parse_token_id(text)
    assert verify_job_token([b"k" * 32], "orcjob_" + text, now=NOW) is None
    with suppress(UserError):
        Encryption([b"k" * 32]).decrypt_value("enc:v1:" + text, PLACE)
    with suppress(UserError):
        Encryption([b"k" * 32]).decrypt_value("enc:v2:" + text, PLACE)

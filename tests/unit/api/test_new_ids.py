"""Ids that names suggest."""

import re

import pytest

from orchestrator_api.orchestrations.new_ids import id_like
from orchestrator_shared.domain.ids import SLUG


@pytest.mark.parametrize(
    ("name", "suggested"),
    [
        ("Nightly sales", "nightly-sales"),
        ("Načtení dat", "nacteni-dat"),
        ("  --Sales 2026 (EU)!", "sales-2026-eu"),
        ("v1.2_final", "v1.2_final"),
        ("売上", "orchestration"),
        ("a" * 63 + " b", "a" * 63),
    ],
)
def test_an_id_is_made_of_a_name(name: str, suggested: str) -> None:
    assert id_like(name) == suggested
    assert re.fullmatch(SLUG, suggested)

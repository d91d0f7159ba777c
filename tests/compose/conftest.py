"""Tests on a real Docker engine of their own; `make test-compose` runs them."""

import os
import shutil
from collections.abc import Iterator

import pytest
from tests.support.docker_engine import PrivateEngine, private_engine
from tests.support.image_registry import Registry, image_registry


@pytest.fixture(scope="session")
def engine() -> Iterator[PrivateEngine]:
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        pytest.fail("needs root and Docker's engine: run `make test-compose`")
    with private_engine() as started:
        yield started


@pytest.fixture(scope="session")
def registry() -> Iterator[Registry]:
    with image_registry() as started:
        yield started

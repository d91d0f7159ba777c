"""Which container images components may use."""

import pytest

from orchestrator_runner.executors.images import AllowedImages
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.images import parse_image, parse_repository

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64


@pytest.mark.parametrize(
    ("written", "repository"),
    [
        ("python", "docker.io/library/python"),
        ("docker.io/python", "docker.io/library/python"),
        ("index.docker.io/library/python", "docker.io/library/python"),
        ("team/loader", "docker.io/team/loader"),
        ("localhost/loader", "localhost/loader"),
        ("registry:5000/loader", "registry:5000/loader"),
        ("Registry.example.com/a/b-c__d", "registry.example.com/a/b-c__d"),
    ],
)
def test_repositories_are_completed_as_engines_do(written: str, repository: str) -> None:
    assert parse_repository(written) == repository
    assert parse_image(f"{written}@{A}").repository == repository
    assert str(parse_image(f"{written}@{A}")) == f"{written}@{A}"


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("python", "has no digest"),
        ("python:3.12", "has no digest"),
        (f"python:3.12@{A}", "tags such as :3.12 can move"),
        (f"registry:5000/python:3.12@{A}", "tags such as :3.12 can move"),
        ("python@sha256:abc", "64 hexadecimal digits"),
        (f"python@{A.upper()}", "64 hexadecimal digits"),
        ("python@sha512:" + "a" * 64, "64 hexadecimal digits"),
        (f"Python@{A}", "not the name of an image"),
        (f"../etc@{A}", "not the name of an image"),
        (f"a//b@{A}", "not the name of an image"),
        (f"a b@{A}", "not the name of an image"),
        (f"@{A}", "not the name of an image"),
        (f"python@{A}\n", "64 hexadecimal digits"),
        (f"{'a' * 600}@{A}", "not the name of an image"),
    ],
)
def test_what_is_not_pinned_or_not_an_image_is_refused(written: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_image(written)


def test_a_digest_allows_one_image_and_a_repository_all_of_its_own() -> None:
    allowed = AllowedImages.parse(f'["python@{A}", "registry.example.com/team/loader"]')
    assert allowed.allows(parse_image(f"docker.io/library/python@{A}"))
    assert not allowed.allows(parse_image(f"python@{B}"))
    assert allowed.allows(parse_image(f"registry.example.com/team/loader@{B}"))
    assert not allowed.allows(parse_image(f"registry.example.com/team/loader/more@{B}"))
    assert not allowed.allows(parse_image(f"evil.example.com/team/loader@{B}"))
    assert not allowed.allows(parse_image(f"team/loader@{B}"))


def test_what_is_refused_names_the_setting() -> None:
    with pytest.raises(
        UserError, match=rf"docker\.image: the image python@{A} is not allowed.*ALLOWED_IMAGES"
    ):
        AllowedImages().require(f"python@{A}", field="docker.image")
    with pytest.raises(UserError, match=r"docker\.image: has no digest"):
        AllowedImages().require("python:3", field="docker.image")
    assert AllowedImages.of(["python"]).require(f"python@{A}", field="docker.image").digest == A


@pytest.mark.parametrize(
    "text",
    ["", "python", "{}", "[1]", '["python:3.12"]', '["python@sha256:abc"]', f'["python:3@{A}"]', '[""]', "["],
)
def test_a_setting_that_allows_something_else_than_meant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected a JSON list|can move|hexadecimal|not the name"):
        AllowedImages.parse(text)

"""The API description: kept in the repository, and good enough to generate clients from."""

import json
from pathlib import Path

from orchestrator_api.openapi import description

KEPT = Path(__file__).parents[3] / "docs" / "contracts" / "openapi.json"
SECURITY: list[dict[str, list[str]]] = [{"HTTPBearer": []}, {"SessionCookie": []}]
OPEN = {
    "post /v1/callbacks/{token}",  # the address is the secret
    "post /v1/sessions",
    "post /v1/cli-logins",
    "post /v1/password-resets",
    "get /v1/links/{link}",  # the address is the secret
    "post /v1/links/{link}",  # the code is the secret
}
METHODS = {"get", "put", "post", "patch", "delete"}


def test_kept_description_is_current() -> None:
    assert KEPT.read_text(encoding="utf-8") == description(), (
        "run: python -m orchestrator_api.openapi docs/contracts/openapi.json"
    )


def test_every_operation_is_described() -> None:
    document = json.loads(description())
    seen = set()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            where = f"{method} {path}"
            assert method in METHODS, where
            assert operation["operationId"] not in seen, where
            seen.add(operation["operationId"])
            assert len(operation["tags"]) >= 1, where
            assert operation["description"], where
            is_open = where in OPEN
            assert operation["security"] == ([] if is_open else SECURITY), where
            expected = {"422", "503"} if is_open else {"401", "403", "422", "503"}
            assert expected <= operation["responses"].keys(), where
            wrong = [
                status
                for status, response in operation["responses"].items()
                if status.startswith(("4", "5")) and list(response["content"]) != ["application/problem+json"]
            ]
            assert wrong == [], where
    assert len(seen) >= 55
    assert {tag["name"] for tag in document["tags"]} == {
        tag for item in document["paths"].values() for operation in item.values() for tag in operation["tags"]
    }

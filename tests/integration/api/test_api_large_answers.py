"""Fault 16 of issue 8: large responses blocked the event loop, and a list could return half a gigabyte."""

import sys
import threading
from typing import Any

from tests.integration.api.conftest import COMPONENT, Client

from orchestrator_api.http.paging import MAX_BYTES, Part

ANY = {**COMPONENT, "parameters": {"type": "object"}}
ELEMENTS = 20_000


async def test_an_export_is_made_beside_the_loop(admin: Client) -> None:
    """Counted in calls on the loop's thread: there are none for single elements of a configuration."""
    await admin.put("/v1/components/demo-extractor", ANY, status=201)
    large = {"parameters": {"values": [{"a": i} for i in range(ELEMENTS)]}}
    for name in ("one", "two", "three"):
        await admin.put(f"configurations/demo-extractor/{name}", large, status=201)
    await admin.get("definitions")  # FastAPI builds the routes of a router for its first request
    main, calls = threading.get_ident(), 0

    def note(_frame: Any, event: str, _arg: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call") and threading.get_ident() == main

    sys.setprofile(note)
    try:
        response = await admin.http.get("/v1/projects/demo/definitions")
    finally:
        sys.setprofile(None)
    assert calls < ELEMENTS
    documents = response.json()["documents"]
    assert [len(each["parameters"]["values"]) for each in documents] == [ELEMENTS] * 3


async def test_a_page_of_large_things_is_short(admin: Client) -> None:
    await admin.put("/v1/components/demo-extractor", ANY, status=201)
    large = {"parameters": {"text": "x" * 900_000}}
    names = [f"c{i}" for i in range(6)]
    for name in names:
        await admin.put(f"configurations/demo-extractor/{name}", large, status=201)
    first = await admin.get("configurations?limit=500")
    assert [each["id"] for each in first["items"]] == names[:4]
    second = await admin.get(f"configurations?limit=500&cursor={first['next']}")
    assert [each["id"] for each in second["items"]] == names[4:]
    assert second["next"] is None
    for i in range(5):
        await admin.put("configurations/demo-extractor/c0", {"parameters": {"text": str(i) * 900_000}})
    versions = await admin.get("configurations/demo-extractor/c0/versions?limit=500")
    assert [each["version"] for each in versions["items"]] == [6, 5, 4, 3]
    assert versions["next"] is not None


def test_a_page_has_at_least_one_row() -> None:
    assert Part(limit=10).within([MAX_BYTES * 2, 1]).limit == 1
    assert Part(limit=10).within([1, 2]).limit == 10

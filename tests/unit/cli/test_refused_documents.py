"""What the server refuses of definitions is told by file and line."""

from pathlib import Path
from typing import Any

import pytest
from tests.support.json_server import Asked, serving

from orchestrator_cli.failures import ExitCode
from orchestrator_cli.main import main

FILE = """\
configuration: command/one
parameters: {argv: ["true"]}
---
configuration: command/two
parameters: {command: "true"}
"""
ERRORS = [
    {"field": "documents[1].parameters", "detail": "missing 'argv'"},
    {"field": "documents[1]", "detail": "is written by hand"},
    {"field": "documents[7].parameters", "detail": "is none of these"},
]


def refuse(_: Asked) -> tuple[int, Any]:
    first = f"3 fields are invalid; the first is documents[1].parameters: {ERRORS[0]['detail']}"
    return 422, {"detail": first, "errors": ERRORS}


@pytest.mark.parametrize("arguments", [["apply"], ["apply", "--yes"], ["diff"]])
def test_a_refused_document_is_named_by_file_and_line(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "jobs.yaml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    with serving(refuse) as server:
        monkeypatch.setenv("ORCHESTRATOR_URL", server.url)
        monkeypatch.setenv("ORCHESTRATOR_TOKEN", "t")
        assert main([*arguments, "-f", "jobs.yaml", "-p", "demo"]) == ExitCode.BAD_INPUT
    assert capsys.readouterr().err.splitlines() == [
        "error: 3 fields are invalid; the first is jobs.yaml:4: parameters: missing 'argv'",
        "  jobs.yaml:4: parameters: missing 'argv'",
        "  jobs.yaml:4: is written by hand",
        "  documents[7].parameters: is none of these",
    ]

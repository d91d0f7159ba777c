"""Handlers of forms let refusals out of their transaction; otherwise it commits what was half done."""

import ast
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

WEB = Path(str(resources.files("orchestrator_api"))) / "web"


def swallowing(module: ast.Module) -> Iterator[int]:
    """Lines inside `entering.changing` where a refusal is caught and not raised again."""
    for block in (node for node in ast.walk(module) if isinstance(node, ast.AsyncWith)):
        if any("entering.changing(" in ast.unparse(item) for item in block.items):
            for handler in (node for node in ast.walk(block) if isinstance(node, ast.ExceptHandler)):
                if not isinstance(handler.body[-1], ast.Raise):
                    yield handler.lineno


def test_no_handler_catches_a_refusal_inside_its_transaction() -> None:
    files = sorted(WEB.rglob("*.py"))
    found = [f"{file.name}:{line}" for file in files for line in swallowing(ast.parse(file.read_text()))]
    assert len(files) > 100
    assert found == []


def test_a_refusal_that_is_caught_inside_is_noticed() -> None:
    text = "async def f():\n async with entering.changing(r):\n  try:\n   g()\n  except E:\n   return 1"
    assert list(swallowing(ast.parse(text))) == [5]

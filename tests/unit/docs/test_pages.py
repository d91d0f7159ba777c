"""The pages hang together: links lead somewhere, and the YAML in them can be applied."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import documentation as docs

from orchestrator_components.conformance import check
from orchestrator_shared.definitions.loader import load_text
from orchestrator_shared.definitions.models import KINDS

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^(?P<fence>```+)(?P<language>\w*)\n(?P<body>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL)
_SCHEME = re.compile(r"[a-z]+:")


def prose(page: Path) -> str:
    """A page without its code."""
    return re.sub(r"`[^`\n]*`", "", _FENCE.sub("", page.read_text(encoding="utf-8")))


def anchors(page: Path) -> set[str]:
    """What the headings of a page can be linked by."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#{1,6} +(.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def yaml_blocks(page: Path) -> Iterator[str]:
    """The blocks of a page that are whole definitions."""
    for match in _FENCE.finditer(page.read_text(encoding="utf-8")):
        body = match["body"]
        starts = (f"{kind}:" for kind in KINDS)
        if match["language"] == "yaml" and any(line.startswith(tuple(starts)) for line in body.splitlines()):
            yield body


@pytest.mark.parametrize("page", docs.pages(), ids=lambda page: str(page.relative_to(docs.ROOT)))
def test_relative_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in _LINK.findall(prose(page)):
        target, _, anchor = link.partition("#")
        if _SCHEME.match(link):
            continue
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("page", docs.pages(), ids=lambda page: str(page.relative_to(docs.ROOT)))
def test_definitions_in_pages_are_valid(page: Path) -> None:
    for block in yaml_blocks(page):
        problems = [str(problem) for problem in load_text(block, file=page.name).problems]
        assert not problems, block


def test_there_are_definitions_to_check() -> None:
    assert sum(1 for page in docs.pages() for _ in yaml_blocks(page)) >= 4


def test_every_page_below_docs_can_be_reached() -> None:
    linked = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in docs.pages()
        for link in _LINK.findall(prose(page))
        if not _SCHEME.match(link)
    }
    unreachable = [page for page in docs.DOCS.rglob("*.md") if page.resolve() not in linked]
    assert unreachable in ([], [docs.DOCS / "README.md"])


def test_the_component_in_ten_lines_keeps_the_contract(tmp_path: Path) -> None:
    blocks = (match["body"] for match in _FENCE.finditer((docs.ROOT / "README.md").read_text("utf-8")))
    program = next(body for body in blocks if "ORCHESTRATOR_DATA_DIR" in body)
    assert len(program.splitlines()) == 10
    file = tmp_path / "hello.py"
    file.write_text(program, encoding="utf-8")
    assert check([sys.executable, str(file)], {"name": "world"}) == []

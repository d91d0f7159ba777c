"""What the pages for developers say of the code is there: a file that moved is noticed."""

import re
from itertools import chain
from pathlib import Path

import pytest
from tests.support.documentation import ROOT

PAGES = (
    ROOT / "docs/explanation/architecture.md",
    *ROOT.glob("*/README.md"),
    *ROOT.glob("services/*/README.md"),
)
_NAMED = re.compile(r"`([a-z0-9_]+(?:/[a-z0-9_]+)*/?(?:\.(?:py|sql))?)`")
SOURCES = tuple(chain(ROOT.glob("*/src/orchestrator_*"), ROOT.glob("services/*/src/orchestrator_*")))
CITED = re.compile(r"\b(PRODUCT|STACK|STYLE|ARCHITECTURE)(\.md| section| §)")
CODE = (".py", ".sql", ".toml", ".yaml", ".yml", ".md", ".sh")
OLD = ("0002_triggers.sql", "0003_jobs.sql")
"""Applied migrations are never edited; architecture.md has the sections that they name."""


def is_there(name: str) -> bool:
    rooms = (room for source in SOURCES for room in source.iterdir())
    return any((folder / name).exists() for folder in (ROOT, *(s.parent for s in SOURCES), *SOURCES, *rooms))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_named_files_exist(page: Path) -> None:
    named = {name for name in _NAMED.findall(page.read_text(encoding="utf-8")) if "/" in name or "." in name}
    assert {name for name in named if not is_there(name)} == set()


def test_every_member_says_where_to_begin() -> None:
    members = [*ROOT.glob("services/*"), *(ROOT / name for name in ("shared", "cli", "local", "components"))]
    assert [member.name for member in members if "Begin with" not in text_of(member / "README.md")] == []


def text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


def test_no_file_cites_a_document_that_is_not_here() -> None:
    folders = ("cli", "components", "deploy", "docs", "examples", "local", "services", "shared", "tests")
    files = (file for folder in folders for file in (ROOT / folder).rglob("*") if file.suffix in CODE)
    kept = (
        file for file in files if ".venv" not in file.parts and file.name not in (*OLD, Path(__file__).name)
    )
    assert [str(file) for file in kept if CITED.search(file.read_text(encoding="utf-8"))] == []

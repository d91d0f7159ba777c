"""What the code has that the reference pages must tell, found in the source and in the models.

`python -m tests.support.documentation` writes the generated blocks of the pages anew.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support import access_rows

from orchestrator_shared.domain.statuses import FINAL_STATUSES, TRANSITIONS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
SOURCES = ("shared/src", "services/*/src", "components/src", "cli/src", "local/src")
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
METRIC_KINDS = {"Counter": "counter", "Gauge": "gauge", "Histogram": "histogram"}
_VARIABLE = re.compile(r"\bORCHESTRATOR_[A-Z][A-Z_]*[A-Z]\b")


def pages() -> list[Path]:
    """Every page that people read."""
    own = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")]
    return [*own, *sorted(DOCS.rglob("*.md")), *sorted((ROOT / "examples").rglob("*.md"))]


def source_files() -> list[Path]:
    """Every Python file that is installed."""
    return sorted(file for pattern in SOURCES for file in ROOT.glob(f"{pattern}/**/*.py"))


def table_rows(page: Path, *, columns: int) -> Iterator[list[str]]:
    """The cells of every table row of a page whose first cell is one name in backticks."""
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        if line.startswith("|") and len(cells) == columns and re.fullmatch(r"`[^`]+`", cells[0]):
            yield [cells[0].strip("`"), *cells[1:]]


def names_in(cell: str) -> frozenset[str]:
    """The names in backticks in a cell."""
    return frozenset(re.findall(r"`([^`]+)`", cell))


@dataclass(frozen=True)
class Metric:
    """One metric as it is registered."""

    name: str
    kind: str
    labels: frozenset[str]


def metrics() -> list[Metric]:
    """Every metric that any module registers."""
    files = [file for file in source_files() if "prometheus_client" in file.read_text(encoding="utf-8")]
    return [metric for file in files for metric in _metrics_of(file)]


def _metrics_of(file: Path) -> Iterator[Metric]:
    for call in _calls(file):
        kind = METRIC_KINDS.get(call.func.id) if isinstance(call.func, ast.Name) else None
        if kind is None:
            continue
        name, *others = call.args
        assert isinstance(name, ast.Constant), f"{file}:{call.lineno}: name metrics by a literal"
        labels = next((arg for arg in others if isinstance(arg, ast.List)), ast.List(elts=[]))
        yield Metric(str(name.value), kind, frozenset(ast.literal_eval(labels)))


def log_events() -> dict[str, set[str]]:
    """Every event that is logged, with the levels it is logged at."""
    found: dict[str, set[str]] = {}
    for file in source_files():
        for call in _calls(file):
            if not _is_log_call(call):
                continue
            assert isinstance(call.func, ast.Attribute)
            level = "error" if call.func.attr == "exception" else call.func.attr
            names = list(_texts(call.args[0]))
            assert names, f"{file}:{call.lineno}: name log events by a literal"
            for name in names:
                found.setdefault(name, set()).add(level)
    return found


def _is_log_call(call: ast.Call) -> bool:
    function = call.func
    return (
        isinstance(function, ast.Attribute)
        and function.attr in LEVELS
        and isinstance(function.value, ast.Name)
        and function.value.id in {"log", "logger"}
    )


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)


def _calls(file: Path) -> Iterator[ast.Call]:
    tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def variables_in_source() -> dict[str, Path]:
    """Every environment variable that a source file names, with one of these files."""
    found: dict[str, Path] = {}
    for pattern in SOURCES:
        for file in sorted(path for path in ROOT.glob(f"{pattern}/**/*") if path.suffix in {".py", ".yaml"}):
            found.update(dict.fromkeys(_VARIABLE.findall(file.read_text(encoding="utf-8")), file))
    return found


def transition_table() -> str:
    """The transitions of jobs as a Markdown table."""
    lines = ["| from | to |", "|---|---|"]
    for status, following in TRANSITIONS.items():
        names = ", ".join(f"`{name}`" for name in TRANSITIONS if name in following)
        lines.append(f"| `{status}` | {names or 'final'} |")
    return "\n".join(lines)


def state_chart() -> str:
    """The transitions of jobs as a Mermaid state chart."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> created"]
    lines += [
        f"    {status} --> {name}"
        for status, following in TRANSITIONS.items()
        for name in TRANSITIONS
        if name in following
    ]
    lines += [f"    {status} --> [*]" for status in TRANSITIONS if status in FINAL_STATUSES]
    return "\n".join([*lines, "```"])


GENERATED = {
    "transitions": transition_table,
    "state chart": state_chart,
    "calls by token": access_rows.token_table,
    "calls by role": access_rows.role_table,
}
"""Blocks of pages that stand between `<!-- generated: name -->` and `<!-- end -->`."""


def regenerated(text: str) -> str:
    """A page with its generated blocks as they have to be."""
    for name, make in GENERATED.items():
        begin = f"<!-- generated: {name} -->"
        text = re.sub(rf"{begin}\n.*?<!-- end -->", f"{begin}\n{make()}\n<!-- end -->", text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    for page in REFERENCE.glob("*.md"):
        page.write_text(regenerated(page.read_text(encoding="utf-8")), encoding="utf-8")

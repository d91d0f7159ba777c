"""What the pages use of the vendored style sheet: a browser loads and matches it faster.

A rule stays if every class it asks for is a word of a template, of the web package or of its scripts, so a
class of that style sheet must be written whole: `btn-primary`, not `btn-{{ kind }}`.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import tinycss2

from orchestrator_api.web.statuses import STATUSES

API = Path(__file__).resolve().parents[2] / "services/api"
WEB = API / "src/orchestrator_api/web"
OURS = WEB / "static/orchestrator.css"
WHOLE, USED = API / "vendor/tabler.min.css", WEB / "static/tabler.css"
SOURCES = ("**/*.j2", "**/*.py", "static/js/*.js")
COSTLY = frozenset({"legend+*"})
"""An element that comes or goes anywhere makes a browser restyle the whole page; our legends do not float."""
COMPOSED = re.compile(r"""(?<![\w-])(o-(?:[a-z]+-)*)(?=["'{])""")
OF_HTMX = frozenset({"htmx-request"})
NESTING = ("media", "supports", "layer", "container")
NEGATED, CLASS = re.compile(r":not\([^()]*\)"), re.compile(r"\.(-?[A-Za-z_](?:[\w-]|\\.)*)")


def used() -> str:
    """The content of `static/tabler.css`, beginning with the whole sheet's licence."""
    sheet = WHOLE.read_text(encoding="utf-8")
    licence = re.match(r'(?:@charset "UTF-8";)?(/\*!.*?\*/)', sheet, re.DOTALL)
    assert licence is not None, "the style sheet does not begin with its licence"
    return f"{licence[1]}\n{kept(sheet, words())}\n"


def kept(sheet: str, known: frozenset[str]) -> str:
    """The rules that ask only for known classes, a line each."""
    return "\n".join(_kept(tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True), known))


def unused(sheet: str) -> list[str]:
    """The classes of a sheet that no page can have, also none whose name is put together."""
    known, composed = words(), _composed()
    rules = re.sub(r"/\*.*?\*/|\{[^{}]*\}", " ", sheet, flags=re.DOTALL)
    return sorted({each for each in CLASS.findall(rules) if not _may_be_made(each, known, composed)})


def _composed() -> frozenset[str]:
    """Beginnings to which templates and scripts add the name of a status, a type or a size: `o-f-`."""
    found = (COMPOSED.findall(path.read_text(encoding="utf-8")) for path in _sources())
    return frozenset(each for beginnings in found for each in beginnings)


def _may_be_made(name: str, known: frozenset[str], composed: frozenset[str]) -> bool:
    if name in known or name in OF_HTMX:
        return True
    beginning = max((each for each in composed if name.startswith(each)), key=len, default="")
    end = name.removeprefix(beginning)
    if beginning == "o-":
        return end in {look.tone for look in STATUSES.values()}
    return bool(beginning) and (end in known or end.isdecimal())


def _sources() -> list[Path]:
    return [path for pattern in SOURCES for path in WEB.glob(pattern)]


def words() -> frozenset[str]:
    """Whatever may be the name of a class."""
    texts = [path.read_text(encoding="utf-8") for path in _sources()]
    return frozenset(word for text in texts for word in re.findall(r"[A-Za-z_][\w-]*", text))


def _kept(rules: Iterable[Any], known: frozenset[str]) -> Iterator[str]:
    for rule in rules:
        if rule.type == "error":
            raise ValueError(f"line {rule.source_line}: {rule.message}")
        if rule.type == "qualified-rule":
            selectors = [each for each in _selectors(rule.prelude) if _is_used(each, known)]
            if selectors:
                yield ",".join(selectors) + "{" + tinycss2.serialize(rule.content) + "}"
        elif rule.lower_at_keyword in NESTING and rule.content is not None:
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            if kept := "".join(_kept(inner, known)):
                yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{kept}}}"
        elif rule.lower_at_keyword != "charset":  # it would have to come first; the header says it
            yield rule.serialize()


def _selectors(prelude: Iterable[Any]) -> list[str]:
    parts: list[list[Any]] = [[]]
    for token in prelude:
        if token.type == "literal" and token.value == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    return [tinycss2.serialize(part).strip() for part in parts]


def _is_used(selector: str, known: frozenset[str]) -> bool:
    if selector in COSTLY:
        return False
    return all(name.replace("\\", "") in known for name in CLASS.findall(NEGATED.sub("", selector)))


if __name__ == "__main__":
    USED.write_text(used(), encoding="utf-8")

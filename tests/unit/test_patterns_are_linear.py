"""No regular expression of the product takes more than linear time, whatever the text (number 14)."""

import ast
import builtins
import importlib
import json
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [*ROOT.glob("*/src"), *ROOT.glob("services/*/src")]
METHODS = {"match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}


class Found(NamedTuple):
    """A pattern, and how it is used."""

    place: str
    pattern: str
    flags: int
    method: str


@cache
def modules() -> list[tuple[str, Path, ast.Module]]:
    return list(parsed_modules())


def parsed_modules() -> Iterator[tuple[str, Path, ast.Module]]:
    for source in SOURCES:
        for file in sorted(source.rglob("*.py")):
            name = ".".join(file.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
            yield name, file, ast.parse(file.read_text(encoding="utf-8"))


def called_of_re(node: ast.AST) -> str | None:
    """`compile` for a call of `re.compile`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        of = node.func.value
        if isinstance(of, ast.Name) and of.id == "re" and node.func.attr in {"compile", *METHODS}:
            return node.func.attr
    return None


class Names(dict[str, Any]):
    """A module's names; any other is a text that is known only while the program runs."""

    def __missing__(self, name: str) -> str:
        if hasattr(builtins, name):
            raise KeyError(name)
        return "a"


def evaluated(expression: ast.expr, module: str) -> Any:
    """The value of an expression in its module."""
    code = compile(ast.Expression(expression), module, "eval")
    return eval(code, {}, Names(vars(importlib.import_module(module))))


def flags_of(call: ast.Call, module: str) -> int:
    given = [*(each.value for each in call.keywords if each.arg == "flags"), *call.args[1:]]
    flags = [each for each in given if ast.unparse(each).startswith("re.")]
    return int(evaluated(flags[0], module)) if flags else 0


@cache
def methods_by_name() -> dict[str, set[str]]:
    """The methods that are called on each name anywhere in the product."""
    used: dict[str, set[str]] = defaultdict(set)
    for _, _, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in METHODS and isinstance(node.value, ast.Name):
                used[node.value.id].add(node.attr)
    return used


def uses(tree: ast.Module, call: ast.Call) -> set[str]:
    """How a compiled pattern is used: by the name that it gets, else in any way."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and node.value is call and isinstance(node.targets[0], ast.Name):
            return methods_by_name().get(node.targets[0].id) or {"search"}
    return {"search", "fullmatch"}


def found_patterns() -> list[Found]:
    found = []
    for name, file, tree in modules():
        for node in ast.walk(tree):
            if not (called := called_of_re(node)):
                continue
            assert isinstance(node, ast.Call)
            pattern, flags = evaluated(node.args[0], name), flags_of(node, name)
            pattern = pattern if isinstance(pattern, str) else pattern.decode("latin-1")
            place = f"{file.relative_to(ROOT)}:{node.lineno}"
            methods = uses(tree, node) if called == "compile" else {called}
            found += [Found(place, pattern, flags, method) for method in sorted(methods)]
    return found


def probe(patterns: list[Found]) -> tuple[int, str]:
    """How a process ended that matched them all, and what it looked at last."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.pattern_probe"],
        input=json.dumps(patterns),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=110,
    )
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout.splitlines()[-1]


def test_every_pattern_of_the_product_is_linear() -> None:
    found = found_patterns()
    assert len(found) > 40
    assert probe(found) == (0, "all")


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        (r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*(begin|commit)\b", "match"),
        (r"(?P<before>[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s/]+(?=@)", "sub"),
        (r"^(a+)+$", "match"),
        (r"(a|a)*\.", "match"),
        (r"\s+$", "search"),
        (r"[^@]+.?[^@]*@", "fullmatch"),
    ],
)
def test_a_pattern_that_backtracks_is_noticed(pattern: str, method: str) -> None:
    """The first two were in the product."""
    code, last = probe([Found("here", pattern, 16, method)])
    assert (code, last) == (-signal.SIGVTALRM, "here")


def test_patterns_of_models_are_matched_without_backtracking() -> None:
    """`Field(pattern=...)` uses an engine that is always linear, unless a model asks for Python's."""
    asking = [
        file
        for _, file, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword | ast.Constant) and "python-re" in ast.unparse(node)
    ]
    assert asking == []


def test_nothing_else_that_backtracks_is_imported() -> None:
    """`fnmatch` makes patterns of texts; `from re import …` would hide patterns from this test."""
    hidden = [
        f"{file.name}: {ast.unparse(node)}"
        for _, file, tree in modules()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Import) and {each.name for each in node.names} & {"regex", "fnmatch"})
        or (isinstance(node, ast.ImportFrom) and node.module in {"re", "regex", "fnmatch"})
    ]
    assert hidden == []

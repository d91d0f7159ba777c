"""Named SQL: blocks that begin with `-- name: claim_jobs`, in files beside the store that uses them.

Parameters have names, as in `WHERE project = $project`; PostgreSQL is given their numbers. What several
queries of a file repeat is a block that begins with `-- part: is_wanted`; `{{part is_wanted}}` pastes it,
also into later parts.
"""

import re
from collections.abc import Iterator, Mapping
from importlib import resources

_HEADER = re.compile(r"^--\s*(?P<kind>name|part):(?P<name>.*)$", re.MULTILINE)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_COMMENT = re.compile(r"--[^\n]*")
_PARAMETER = re.compile(r"\$([a-z][a-z0-9_]*)(?![a-z0-9_]*\$)")
_NUMBER = re.compile(r"\$[0-9]")
_PASTED = re.compile(r"\{\{part ([a-z][a-z0-9_]*)\}\}")


class QueryError(Exception):
    """A query file is malformed, or a query is missing: a bug."""


class Queries:
    """The queries of one store, by name."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        self._parameters = {name: _parameters(name, sql) for name, sql in queries.items()}
        self._queries = {name: _numbered(sql, self._parameters[name]) for name, sql in queries.items()}

    @classmethod
    def load(cls, package: str, *files: str) -> "Queries":
        """Read the named files of a package: `Queries.load("orchestrator_runner.queue", "lanes.sql")`."""
        queries: dict[str, str] = {}
        for file in files:
            text = resources.files(package).joinpath(file).read_text(encoding="utf-8")
            for name, sql in parse_queries(text, file=file):
                if name in queries:
                    raise QueryError(f"{file}: the query {name!r} is defined twice")
                queries[name] = sql
        return cls(queries)

    def __getitem__(self, name: str) -> str:
        try:
            return self._queries[name]
        except KeyError:
            raise QueryError(f"no query {name!r}; there are {', '.join(self.names())}") from None

    def parameters(self, name: str) -> tuple[str, ...]:
        """The names of a query's parameters, in the order of their numbers."""
        return self._parameters[name]

    def arguments(self, name: str, values: Mapping[str, object]) -> list[object]:
        """The values of a query's named parameters, in the order of their numbers."""
        wanted = self._parameters[name]
        if values.keys() != set(wanted):
            raise QueryError(
                f"the query {name!r} takes {', '.join(wanted) or 'nothing'}; given were {', '.join(values)}"
            )
        return [values[each] for each in wanted]

    def __contains__(self, name: object) -> bool:
        return name in self._queries

    def __iter__(self) -> Iterator[str]:
        return iter(self._queries)

    def names(self) -> list[str]:
        """Every name, in order."""
        return sorted(self._queries)


def _parameters(name: str, sql: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(_PARAMETER.findall(_COMMENT.sub("", sql))))
    if found and _NUMBER.search(sql):
        raise QueryError(f"the query {name!r} mixes named and numbered parameters; name all of them")
    return found


def _numbered(sql: str, parameters: tuple[str, ...]) -> str:
    numbers = {name: number for number, name in enumerate(parameters, 1)}
    return _PARAMETER.sub(lambda found: f"${numbers.get(found[1], found[1])}", sql)


def parse_queries(text: str, *, file: str) -> list[tuple[str, str]]:
    """Cut a file into its queries, their parts pasted in; text before the first block must be comments."""
    headers = list(_HEADER.finditer(text))
    before = text[: headers[0].start()] if headers else text
    if _COMMENT.sub("", before).strip() or not headers:
        raise QueryError(f"{file}: begin each query with a line `-- name: the_name`")
    queries: list[tuple[str, str]] = []
    parts: dict[str, str] = {}
    for header, following in zip(headers, [*headers[1:], None], strict=True):
        name = header["name"].strip()
        sql = text[header.end() : following.start() if following else len(text)].strip()
        if not _NAME.fullmatch(name):
            raise QueryError(f"{file}: {name!r} is not a valid query name; use lower_case_words")
        if not _COMMENT.sub("", sql).strip():
            raise QueryError(f"{file}: the query {name!r} is empty")
        if header["kind"] == "name":
            queries.append((name, sql))
        elif name in parts:
            raise QueryError(f"{file}: the part {name!r} is defined twice")
        else:
            parts[name] = _pasted(sql, parts, file=file)
    return [(name, _pasted(sql, parts, file=file)) for name, sql in queries]


def _pasted(sql: str, parts: Mapping[str, str], *, file: str) -> str:
    def part(found: re.Match[str]) -> str:
        if found[1] not in parts:
            raise QueryError(f"{file}: no part {found[1]!r}; there are {', '.join(parts) or 'none'}")
        return parts[found[1]]

    return _PASTED.sub(part, sql)

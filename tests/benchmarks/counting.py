"""Counting instead of timing: the statements, commits and messages of a workload, from the servers' side."""

import asyncio
import json
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

import asyncpg
from tests.benchmarks.stage import Stage
from tests.benchmarks.wire import Inbox

from orchestrator_shared.contracts.routing import MESSAGES
from orchestrator_shared.database.queries import Queries

PREFIX = "%d|%p|"
LINE = re.compile(
    r"^(?P<database>[^|]*)\|(?P<pid>\d+)\|LOG:  duration: (?P<ms>[\d.]+) ms  "
    r"(?P<step>statement|parse|bind|execute)[^:]*: (?P<sql>.*)$",
    re.DOTALL,
)
QUERY_FILES = ("orchestrator_runner.queue", "orchestrator_shared.messaging")
WRITES = ("INSERT", "UPDATE", "DELETE", "WITH")
SETTLE_SECONDS = 1.0


@dataclass
class Statement:
    """All executions of one statement."""

    count: int = 0
    milliseconds: float = 0.0
    """Planning (bind) and executing."""


@dataclass
class Tally:
    """What a database was asked to do."""

    statements: dict[str, Statement] = field(default_factory=lambda: defaultdict(Statement))
    commits_with: Counter[str] = field(default_factory=Counter)
    """Transactions, by each named statement that they contained (once per transaction)."""

    def count(self, name: str) -> int:
        return self.statements[name].count if name in self.statements else 0

    @property
    def total(self) -> int:
        return sum(statement.count for statement in self.statements.values())

    def lines(self, most: int = 40) -> Iterator[str]:
        """A table, the costliest first."""
        ordered = sorted(self.statements.items(), key=lambda item: -item[1].milliseconds)
        for name, statement in ordered[:most]:
            mean = statement.milliseconds / statement.count if statement.count else 0.0
            yield f"{name:32} {statement.count:7} x {mean:8.3f} ms = {statement.milliseconds:9.1f} ms"


@asynccontextmanager
async def counted(stage: Stage, database: str) -> AsyncIterator[Tally]:
    """Count and time every statement in one database while the block runs; slows the server down a little."""
    tally = Tally()
    await _configure(stage, log_line_prefix=f"'{PREFIX}'", log_min_duration_statement="0")
    begin = stage.postgres.log.stat().st_size
    try:
        yield tally
        await asyncio.sleep(SETTLE_SECONDS)
    finally:
        await _configure(stage, log_min_duration_statement="-1")
        _add(tally, read_log(stage.postgres.log, begin), database)


async def _configure(stage: Stage, **settings: str) -> None:
    connection = await asyncpg.connect(stage.postgres.url)
    try:
        for name, value in settings.items():
            await connection.execute(f"ALTER SYSTEM SET {name} = {value}")
        await connection.execute("SELECT pg_reload_conf()")
        await asyncio.sleep(0.1)
    finally:
        await connection.close()


def read_log(log: Path, begin: int) -> list[str]:
    """The entries of a server log from a position on; an entry's further lines begin with a tab."""
    with log.open(encoding="utf-8", errors="replace") as lines:
        lines.seek(begin)
        return re.split(r"\n(?!\t)", lines.read())


def _add(tally: Tally, entries: Sequence[str], database: str) -> None:
    names = known_statements()
    transactions: dict[str, set[str]] = {}
    for entry in entries:
        found = LINE.match(entry)
        if found is None or found["database"] != database:
            continue
        name = names.get(_normal(found["sql"])) or _normal(found["sql"])[:60]
        statement = tally.statements[name]
        statement.milliseconds += float(found["ms"])
        if found["step"] in ("statement", "execute"):
            statement.count += 1
            _follow(tally, transactions, found["pid"], name)


def _follow(tally: Tally, transactions: dict[str, set[str]], pid: str, name: str) -> None:
    if name.startswith("BEGIN"):
        transactions[pid] = set()
    elif name.startswith(("COMMIT", "ROLLBACK")):
        tally.commits_with.update(transactions.pop(pid, set()))
    elif pid in transactions:
        transactions[pid].add(name)


def known_statements() -> dict[str, str]:
    """The names of our own statements by their text."""
    names: dict[str, str] = {}
    for package in QUERY_FILES:
        for file in resources.files(package).iterdir():
            if file.name.endswith(".sql"):
                queries = Queries.load(package, file.name)
                prefix = "outbox_" if file.name == "outbox.sql" else ""
                for name in queries:
                    names[_normal(queries[name].replace("{outbox}", "jobs.outbox"))] = prefix + name
    return names


def _normal(sql: str) -> str:
    return " ".join(sql.split()).rstrip(";")


@dataclass(frozen=True)
class Said:
    """Messages that were published, by type."""

    durable: Counter[str]
    hints: Counter[str]


def heard(inbox: Inbox) -> Said:
    """What a private queue, bound to everything, was given so far."""
    durable: Counter[str] = Counter()
    hints: Counter[str] = Counter()
    for message in inbox.take():
        kind = json.loads(message.body)["type"]
        # By the model: a process of ours reads no delivery mode off the wire.
        (durable if MESSAGES[kind].persistent else hints)[kind] += 1
    return Said(durable, hints)

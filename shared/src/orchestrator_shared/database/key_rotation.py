"""Re-encrypts every stored secret under the first key, in the newest form, beside running services.

Each row is written by itself, and only if nobody changed it meanwhile: a value that a service writes is never
lost. What is left to do is in the rows themselves, so an interrupted rotation goes on where it stopped.
"""

import base64
import contextlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.rotated_tables import TABLES, OutdatedRow, Table, Walk, tasks_of
from orchestrator_shared.database.store import Store
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.sealed_values import is_sealed
from orchestrator_shared.secret_places import SecretPlace
from orchestrator_shared.security import Encryption, map_secrets

BATCH = 200
MAX_PASSES = 5
_REMEMBERED = 1000
_UNDER_MARKED_KEY = r'(?<!\\)"#(?:[^"\\]|\\.)*":\s*"enc:'
"""In a JSON text, an encrypted value under a key that begins with `#`, up to its form."""
MARKS = _UNDER_MARKED_KEY + "(v1:[A-Za-z0-9_-]{5}|v2:[0-9a-f]{8})"
Progress = Callable[[str, int], None]
"""Called after each batch with the table and the number of rows written."""


@dataclass(frozen=True, slots=True)
class MarkedRows:
    """How many rows of a table hold values with this form and key."""

    place: str
    mark: str
    rows: int


@dataclass(frozen=True, slots=True)
class KeyUse:
    """How many rows hold values under a key, by table; `key` is its id, None if it is not in the settings."""

    key: str | None
    form: str
    rows: Mapping[str, int]


class KeyRotation(Store):
    """On a connection that may write all of the services' tables."""

    queries = Queries.load("orchestrator_shared.database", "key_rotation.sql")

    def __init__(self, connection: asyncpg.Connection, encryption: Encryption, *, batch: int = BATCH) -> None:
        super().__init__(connection)
        self._encryption = encryption
        self._batch = batch
        self._tasks: dict[tuple[str, str, int | None], Mapping[str, Any]] = {}
        self._walk = Walk(self._renewed, self._tasks_of)
        self._outdated = f"{_UNDER_MARKED_KEY}(v1:|v2:(?!{encryption.key_ids[0]}:))"

    async def run(self, progress: Progress) -> None:
        """Go through every table, again as long as others change rows meanwhile."""
        await self._connection.execute("SET plan_cache_mode = force_custom_plan; SET lock_timeout = '5s'")
        for table in TABLES:
            for _ in range(MAX_PASSES):
                if not await self._pass(table, progress):
                    break

    async def uses(self) -> list[KeyUse]:
        """How many rows are under which key, the first key's newest form first."""
        found: dict[tuple[str | None, str], Counter[str]] = {}
        known = _marks(self._encryption.key_ids)
        for each in await self._many(MarkedRows, "rows_by_mark", marks=MARKS):
            place = found.setdefault((known.get(each.mark), each.mark[:2]), Counter())
            place[each.place] += each.rows
        keys = [*self._encryption.key_ids, None]
        return [KeyUse(key, form, found.get((key, form), Counter())) for key in keys for form in ("v2", "v1")]

    async def _pass(self, table: Table, progress: Progress) -> int:
        """Returns how many rows someone else held or changed."""
        after, missed = table.before_first, 0
        while True:
            rows = await self._many(
                OutdatedRow, table.name, after=list(after), outdated=self._outdated, batch=self._batch
            )
            written = 0
            for row in rows:
                is_written = await self._renew_row(table, row)
                written += is_written is True
                missed += is_written is False
            progress(str(table), written)
            if len(rows) < self._batch:
                return missed
            after = rows[-1].key

    async def _renew_row(self, table: Table, row: OutdatedRow) -> bool | None:
        """Whether it was still as it was; None if none of its values can be decrypted."""
        value, written = await self._text(table, row, row.value), await self._text(table, row, row.written)
        if (value, written) == (row.value, row.written):
            return None
        given = {"value": value, "written": written, "old_value": row.value, "old_written": row.written}
        try:
            return bool(await self._run(f"renew_{table.name}", key=list(row.key), **given))
        except asyncpg.LockNotAvailableError:
            return False

    async def _text(self, table: Table, row: OutdatedRow, text: str | None) -> str | None:
        """The same JSON text with other encrypted values: all else stays as people wrote it."""
        if text is None:
            return None
        for old, new in (await table.places(self._walk, row, json.loads(text))).items():
            text = text.replace(f'"{old}"', f'"{new}"')
        return text

    def _renewed(self, value: Any, place: SecretPlace) -> dict[str, str]:
        renewed: dict[str, str] = {}

        def note(secret: Any) -> Any:
            if is_sealed(secret):
                with contextlib.suppress(UserError):  # counted as what is left
                    renewed[secret] = self._encryption.renew_in_place(secret, place)
            return secret

        map_secrets(value, note)
        return renewed

    async def _tasks_of(self, project: str, orchestration: str, version: int | None) -> Mapping[str, Any]:
        key = (project, orchestration, version)
        if key not in self._tasks:
            if len(self._tasks) >= _REMEMBERED:
                self._tasks.clear()
            text = await self._value(
                str, "definition", project=project, orchestration=orchestration, version=version
            )
            self._tasks[key] = tasks_of(text)
        return self._tasks[key]


def _marks(key_ids: list[str]) -> dict[str, str]:
    """Key ids by how values begin; in the first form, 30 of its 32 bits."""
    first = {f"v1:{base64.urlsafe_b64encode(bytes.fromhex(key)).decode()[:5]}": key for key in key_ids}
    return first | {f"v2:{key}": key for key in key_ids}

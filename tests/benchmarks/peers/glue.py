# mypy: ignore-errors
# (runs in an environment of its own, whose packages are not installed here)
"""Phases on top of a task queue, as one would write them: whoever ends a phase sends the next.

Imported in the peers' own environments: the standard library and psycopg only.
"""

import threading
from typing import Any

import psycopg

BEGIN = "INSERT INTO peer_runs (id, sizes, remaining) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
DONE = """
WITH done AS (
    INSERT INTO peer_tasks (run, phase, task) VALUES (%(run)s, %(phase)s, %(task)s)
    ON CONFLICT DO NOTHING RETURNING run
)
UPDATE peer_runs r SET remaining = r.remaining - 1 FROM done WHERE r.id = done.run
RETURNING r.remaining, r.sizes
"""
GO_ON = "UPDATE peer_runs SET phase = %s, remaining = %s WHERE id = %s"
END = "UPDATE peer_runs SET finished_at = clock_timestamp() WHERE id = %s"
TELL = "SELECT pg_notify('peer_finished', %s)"
Step = tuple[int, int]
"""The phase to send, and how many tasks it has."""


class Glue:
    """One connection per thread."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._local = threading.local()

    @property
    def _connection(self) -> "psycopg.Connection[Any]":
        if not hasattr(self._local, "connection"):
            self._local.connection = psycopg.connect(self._url, autocommit=True)
        connection: psycopg.Connection[Any] = self._local.connection
        return connection

    def begin(self, run: str, sizes: list[int]) -> Step:
        self._connection.execute(BEGIN, (run, sizes, sizes[0]))
        return 0, sizes[0]

    def done(self, run: str, phase: int, task: int) -> Step | None:
        """Note the end of a task; the next phase if it was the last of its own."""
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.execute(DONE, {"run": run, "phase": phase, "task": task})
            row = cursor.fetchone()
            if row is None or row[0] > 0:
                return None
            sizes = row[1]
            if phase + 1 < len(sizes):
                cursor.execute(GO_ON, (phase + 1, sizes[phase + 1], run))
                return phase + 1, sizes[phase + 1]
            cursor.execute(END, (run,))
            cursor.execute(TELL, (run,))
            return None

"""Names of tables and buckets."""

import re
from dataclasses import dataclass

from orchestrator_shared.domain.errors import UserError

_BUCKET = r"[A-Za-z0-9_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_][A-Za-z0-9_-]*)*"
_TABLE = r"[A-Za-z0-9_][A-Za-z0-9_-]*"
_NAME = re.compile(rf"(?P<bucket>{_BUCKET})\.(?P<table>{_TABLE})")
MAX_LENGTH = 150
BUCKET_PATTERN = f"^{_BUCKET}$"
TABLE_PATTERN = rf"^{_BUCKET}\.{_TABLE}$"
REF_PATTERN = rf"^(?:[a-z0-9._-]+/)?{_BUCKET}\.{_TABLE}$"
"""For descriptions; of a table of another project, its project stands before a slash."""


@dataclass(frozen=True, slots=True, order=True)
class TableName:
    """`in.c-sales.orders`: table `orders` of bucket `in.c-sales`; the table is what follows the last dot."""

    bucket: str
    table: str

    def __str__(self) -> str:
        return f"{self.bucket}.{self.table}"

    @classmethod
    def parse(cls, text: str, *, field: str = "table") -> "TableName":
        """Read `bucket.table`; raises UserError naming `field`."""
        match = _NAME.fullmatch(text) if len(text) <= MAX_LENGTH else None
        if match is None:
            raise UserError(
                f"{text[:MAX_LENGTH]!r} is not a table name; expected bucket.table, as in in.c-sales.orders",
                field=field,
            )
        return cls(match["bucket"], match["table"])


@dataclass(frozen=True, slots=True, order=True)
class TableRef:
    """A table's full name: its project and its name within it."""

    project: str
    name: TableName

    def __str__(self) -> str:
        return f"{self.project}/{self.name}"

    @classmethod
    def parse(cls, text: str, *, own_project: str, field: str = "table") -> "TableRef":
        """Read `bucket.table` of the own project, or `project/bucket.table` of another."""
        project, slash, name = text.rpartition("/")
        return cls(project if slash else own_project, TableName.parse(name, field=field))

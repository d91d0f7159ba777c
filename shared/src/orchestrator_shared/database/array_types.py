"""Arrays of PostgreSQL's own types, made known to a connection without asking the server for them."""

import asyncpg
from asyncpg.protocol.protocol import BUILTIN_TYPE_NAME_MAP

ARRAYS = {
    "bool": 1000,
    "bytea": 1001,
    "int2": 1005,
    "int4": 1007,
    "int8": 1016,
    "float8": 1022,
    "date": 1182,
    "timestamptz": 1185,
    "numeric": 1231,
    "json": 199,
    "uuid": 2951,
    "jsonb": 3807,
}
"""The type of the elements, and the OID of its array type: a constant of pg_type in every PostgreSQL."""


def _described(element: str, oid: int) -> dict[str, object]:
    """What asyncpg's own query answers for such a type."""
    return {
        "oid": oid,
        "ns": "pg_catalog",
        "name": f"_{element}",
        "kind": b"b",
        "basetype": None,
        "elemtype": BUILTIN_TYPE_NAME_MAP[element],
        "elemdelim": b",",
        "range_subtype": None,
        "attrtypoids": None,
        "attrnames": None,
    }


DESCRIBED = [_described(element, oid) for element, oid in ARRAYS.items()]


def know_arrays(connection: asyncpg.Connection) -> None:
    """Call it after the codecs of the elements are set: an array keeps the codec its elements had then.

    Otherwise asyncpg asks the server at the first use of each, on each connection: a query that takes the
    server longer than all else that opening a connection costs. There is no public way to tell asyncpg.
    """
    connection._protocol.get_settings().register_data_types(DESCRIBED)  # type: ignore[attr-defined]

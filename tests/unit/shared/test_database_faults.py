"""Which errors are the server's, or the way's to it, so that the same call may succeed later."""

import asyncpg
import pytest

from orchestrator_shared.database.faults import is_server_fault


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(),
        TimeoutError(),
        asyncpg.CannotConnectNowError(),
        asyncpg.TooManyConnectionsError(),
        asyncpg.DeadlockDetectedError(),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError("got result for unknown protocol state 3"),
        asyncpg.ProtocolError("unexpected message"),
    ],
    ids=repr,
)
def test_the_servers_fault(error: Exception) -> None:
    assert is_server_fault(error)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.UniqueViolationError(),
        asyncpg.UndefinedTableError(),
        asyncpg.InterfaceError("the server expects 2 arguments for this query, 1 was passed"),
        asyncpg.DataError("invalid input"),
        FileNotFoundError(),
        KeyError(),
    ],
    ids=repr,
)
def test_a_fault_of_the_call(error: Exception) -> None:
    assert not is_server_fault(error)

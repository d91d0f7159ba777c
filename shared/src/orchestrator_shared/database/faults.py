"""Distinguishes a database that does not answer from a mistake in a query."""

import asyncpg

from orchestrator_shared.tls import certificate_problem

_SERVER = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutdown, starting up, cancelled by a time limit
    asyncpg.InsufficientResourcesError,  # too many connections, disk full, out of memory
    asyncpg.TransactionRollbackError,  # deadlock, serialization
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby took over and this connection is on the old side
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InternalClientError,  # torn down in the middle of a query: the connection was lost
)
_FILES = (FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError)
_CLOSED = ("clos", "released back to the pool", "connection was ")


def is_server_fault(error: BaseException) -> bool:
    """Whether the database, or the way to it, failed: the same call may succeed later."""
    if isinstance(error, _SERVER):
        return True
    if isinstance(error, asyncpg.InternalClientError):
        # The server announced the end of the connection, and asyncpg has not noticed it yet.
        return "cannot switch to state" in str(error)
    if isinstance(error, asyncpg.InterfaceError):
        return any(word in str(error) for word in _CLOSED)
    return isinstance(error, OSError) and not isinstance(error, _FILES)  # includes TimeoutError and DNS


def reason(error: BaseException) -> str:
    """One line for people; never contains a URL or a parameter."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else ""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if problem := certificate_problem(error):
        return f"{problem} (ORCHESTRATOR_DATABASE_CA_FILE names whom to trust)"
    return text or type(error).__name__

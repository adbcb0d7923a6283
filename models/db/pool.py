"""Connections to Postgres, as one of our roles, with its outages told apart from our mistakes."""

import ssl
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Literal, TypeAlias

import asyncpg

from models.endpoints import require_safe_postgres
from models.errors import RefuseToStart, TryAgain

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
else:
    Connection = asyncpg.Connection

Role: TypeAlias = Literal[
    "thuiswacht_owner",
    "thuiswacht_ingest",
    "thuiswacht_alerting",
    "thuiswacht_register",
    "thuiswacht_read",
    "thuiswacht_people",
    "thuiswacht_dispatch",
    "thuiswacht_login",
    "thuiswacht_audit",
    "thuiswacht_gateway",
    "thuiswacht_shadow",
]

# Longer than any statement of a batch takes on a slow disk, shorter than a rebalance would wait for us.
_STATEMENT_TIMEOUT_MS = 30_000
_LOCK_TIMEOUT_MS = 10_000
_CONNECT_TIMEOUT_S = 10.0

_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InternalClientError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    # During a failover: the server that we know has become the one that only follows.
    asyncpg.ReadOnlySQLTransactionError,
    # A migration changed a table under a prepared statement; the next attempt prepares it anew.
    asyncpg.InvalidCachedStatementError,
    # Raised for a connection that closed while nobody looked, or under a statement.
    asyncpg.InterfaceError,
)
# Of these, what a server says that is there: somebody holds a lock, or a statement took too long.
_NOT_LET_THROUGH = (
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.TransactionRollbackError,
)
_WRONG_ADDRESS = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidParameterValueError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.UndefinedObjectError,
    asyncpg.ClientConfigurationError,
    ssl.SSLCertVerificationError,
)


class Pool:
    """A few connections as one role. Opening it touches no server: the first use does."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", role: str) -> None:
        self._pool = pool
        self._role = role

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection]:
        """A connection in autocommit.

        **Raises**: TryAgain when Postgres is away, overloaded or stopped the statement; RefuseToStart when
        it does not let us in.
        """
        with outages():
            connection = await self._acquire()
        with outages(is_connected=True):
            try:
                yield connection
            except asyncpg.ReadOnlySQLTransactionError:
                # So that the next attempt asks anew who leads.
                connection.terminate()
                raise
            finally:
                await self._pool.release(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        """A connection within one transaction, committed at the end, rolled back on an error.

        **Raises**: as `connection`. When TryAgain comes from the commit, it may have happened or not.
        """
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def close(self) -> None:
        """Gives the connections back to the server; those that hang are cut off."""
        try:
            await self._pool.close()
        except _AWAY:
            self._pool.terminate()

    async def _acquire(self) -> "PoolConnectionProxy[asyncpg.Record]":
        expected = f"that its user is a member of {self._role}, and that `thuiswacht migrate` was run"
        with refusals(expected):
            return await self._pool.acquire(timeout=_CONNECT_TIMEOUT_S)


async def connect(
    dsn: str, *, role: Role, application: str, max_size: int = 4, leaves_nothing: bool = False
) -> Pool:
    """A pool whose connections act as `role`, whoever logged in.

    `leaves_nothing`: no statement of theirs sets anything that outlasts it, so that nothing has to be set
    back between one use and the next, which is a statement of its own each time.
    **Raises**: RefuseToStart when the address is not a safe one.
    """
    require_safe_postgres(dsn)
    pool = asyncpg.create_pool(
        dsn,
        # None at the start: a service that starts before its database waits, it does not fall over.
        min_size=0,
        max_size=max_size,
        timeout=_CONNECT_TIMEOUT_S,
        command_timeout=_STATEMENT_TIMEOUT_MS / 1000 + 5,
        reset=_leave if leaves_nothing else None,
        server_settings={
            "role": role,
            "application_name": application,
            "statement_timeout": str(_STATEMENT_TIMEOUT_MS),
            "lock_timeout": str(_LOCK_TIMEOUT_MS),
            "timezone": "UTC",
            # Our statements are short, and compiling them costs more than it gains.
            "jit": "off",
        },
    )
    return Pool(await pool, role)


@asynccontextmanager
async def connected(
    dsn: str, *, role: Role, application: str, max_size: int = 4, leaves_nothing: bool = False
) -> AsyncGenerator[Pool]:
    """`connect` for as long as the block lasts. **Raises**: as `connect`."""
    pool = await connect(
        dsn, role=role, application=application, max_size=max_size, leaves_nothing=leaves_nothing
    )
    try:
        yield pool
    finally:
        await pool.close()


@contextmanager
def refusals(expected: str) -> Generator[None]:
    """Turns "Postgres does not let us in" in all its forms into RefuseToStart; for connecting only."""
    try:
        yield
    except _WRONG_ADDRESS as error:
        raise RefuseToStart(
            f"Postgres does not let us in ({error}): check its address, {expected}."
        ) from error


@contextmanager
def outages(*, is_connected: bool = False) -> Generator[None]:
    """Turns "Postgres is away" in all its forms into TryAgain; what else goes wrong is our mistake.

    With `is_connected`, a statement that takes too long is no sign of an outage: it was sent to one who was
    there. Where that has gone meanwhile, the next attempt does not get as far.
    """
    try:
        yield
    except _AWAY as error:
        if not _is_away(error):
            raise
        is_there = isinstance(error, _NOT_LET_THROUGH) or (is_connected and isinstance(error, TimeoutError))
        said = "is there, but did not let this through" if is_there else "is away or overloaded"
        raise TryAgain(f"Postgres {said} ({_name(error)}).", is_away=not is_there) from error


async def _leave(_: Connection) -> None:
    """Leaves a connection as it is."""


def _name(error: BaseException) -> str:
    # Not its text: that of a Postgres error may hold values.
    state = getattr(error, "sqlstate", None)
    return type(error).__name__ + (f", {state}" if state else "")


def _is_away(error: BaseException) -> bool:
    """Whether Postgres is, or our use of asyncpg is wrong: it has one class, InterfaceError, for both.

    Rolling back over a connection that broke in the middle of a statement is refused as if two of us used
    it at once; what broke it then stands behind that refusal.
    """
    if not isinstance(error, asyncpg.InterfaceError):
        return isinstance(error, _AWAY)
    if "connection" in str(error).lower() or "pool" in str(error).lower():
        return True
    return error.__context__ is not None and _is_away(error.__context__)

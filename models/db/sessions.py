"""Sessions and their beginnings, as the role thuiswacht_login."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from models.access import Role, User
from models.clock import DAY_US, MINUTE_US, to_datetime, to_us
from models.db.pool import Connection
from models.sessions import Ended, Session, SessionKind, lifetime_us

PENDING_US = 10 * MINUTE_US
"""How long somebody may take at the OpenID provider."""

_BEGIN = """
    INSERT INTO session (
        session_id, kind, token_sha256, person_id, organisation_id, role, began_at, seen_at, until_at,
        provider_session, client_id, client_key
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, $11)
"""
_COLUMNS = """
    session_id, kind, person_id, organisation_id, role, began_at, seen_at, until_at, ended_at,
    tried_again_at IS NOT NULL AS tried_again
"""
_FIND = f"SELECT {_COLUMNS} FROM session WHERE token_sha256 = $1"
_END = "UPDATE session SET ended_at = $2, ended_why = $3 WHERE session_id = $1 AND ended_at IS NULL"
_END_ALL = f"""
    UPDATE session SET ended_at = $2, ended_why = $3
    WHERE person_id = $1 AND ended_at IS NULL AND until_at > $2 RETURNING {_COLUMNS}
"""
_END_OF_KEYS = """
    UPDATE session SET ended_at = $3, ended_why = $4
    WHERE client_id = $1 AND client_key = ANY($2) AND ended_at IS NULL AND until_at > $3
"""
_END_OF_PROVIDER = f"""
    UPDATE session AS s SET ended_at = $1, ended_why = 'provider'
    WHERE ended_at IS NULL AND until_at > $1 AND kind = 'browser' AND (
        provider_session = $2 OR person_id = (
            SELECT i.person_id FROM login_identity AS i WHERE i.issuer = $3 AND i.subject = $4
        )
    ) RETURNING {_COLUMNS}
"""


async def begin(
    connection: Connection,
    session_id: UUID,
    kind: SessionKind,
    token_sha256: bytes,
    user: User,
    now_us: int,
    *,
    provider_session: str | None = None,
    until_us: int | None = None,
    client_key: tuple[str, int] | None = None,
) -> Session:
    """A new session; `until_us` is its end where that is earlier than the kind's own.

    `client_key`: of a system's token, the key that it was given for.
    """
    client_id, number = (None, None) if client_key is None else client_key
    end_us = now_us + lifetime_us(kind) if until_us is None else until_us
    await connection.execute(
        _BEGIN, session_id, kind.value, token_sha256, user.person_id, user.organisation_id, user.role.value,
        to_datetime(now_us), to_datetime(end_us), provider_session, client_id, number,
    )  # fmt: skip
    return Session(session_id, kind, user, now_us, now_us, end_us)


async def find(connection: Connection, token_sha256: bytes) -> Session | None:
    """The session of a token, ended or not; None for a token that was never given out."""
    row = await connection.fetchrow(_FIND, token_sha256)
    return None if row is None else _session(row)


async def note_seen(connection: Connection, session_id: UUID, now_us: int) -> None:
    """Moves the idle end; never back."""
    await connection.execute(
        "UPDATE session SET seen_at = greatest(seen_at, $2) WHERE session_id = $1",
        session_id, to_datetime(now_us),
    )  # fmt: skip


async def note_tried_again(connection: Connection, session_id: UUID, now_us: int) -> bool:
    """Notes that a session was used after its end; False when that was noted before."""
    status = await connection.execute(
        "UPDATE session SET tried_again_at = $2 WHERE session_id = $1 AND tried_again_at IS NULL",
        session_id, to_datetime(now_us),
    )  # fmt: skip
    return status == "UPDATE 1"


async def end(connection: Connection, session_id: UUID, why: Ended, now_us: int) -> bool:
    """Ends a session; False when it had ended."""
    return await connection.execute(_END, session_id, to_datetime(now_us), why.value) == "UPDATE 1"


async def end_all(connection: Connection, person_id: UUID, why: Ended, now_us: int) -> list[Session]:
    """Ends all sessions of a person, and returns them."""
    rows = await connection.fetch(_END_ALL, person_id, to_datetime(now_us), why.value)
    return [_session(row) for row in rows]


async def end_of_keys(
    connection: Connection, client_id: str, numbers: Sequence[int], why: Ended, now_us: int
) -> None:
    """Ends the tokens that were given for keys of a client."""
    await connection.execute(_END_OF_KEYS, client_id, list(numbers), to_datetime(now_us), why.value)


async def end_of_provider(
    connection: Connection, issuer: str, subject: str | None, provider_session: str | None, now_us: int
) -> list[Session]:
    """Ends what an OpenID provider names: one session of it, or all of a subject."""
    # A session named is the only one meant.
    whose = None if provider_session else subject
    rows = await connection.fetch(_END_OF_PROVIDER, to_datetime(now_us), provider_session, issuer, whose)
    return [_session(row) for row in rows]


def _session(row: asyncpg.Record) -> Session:
    ended_at = row["ended_at"]
    return Session(
        session_id=row["session_id"],
        kind=SessionKind(row["kind"]),
        user=User(row["person_id"], row["organisation_id"], Role(row["role"])),
        began_us=to_us(row["began_at"]),
        seen_us=to_us(row["seen_at"]),
        until_us=to_us(row["until_at"]),
        ended_us=None if ended_at is None else to_us(ended_at),
        tried_again=row["tried_again"],
    )


@dataclass(frozen=True, slots=True)
class Pending:
    """What we must remember of a browser while it is at the OpenID provider."""

    nonce: str
    code_verifier: str


async def begin_pending(
    connection: Connection, state_sha256: bytes, browser_sha256: bytes, pending: Pending, now_us: int
) -> None:
    """Remembers a browser that is sent to the provider."""
    await connection.execute(
        "INSERT INTO pending_login VALUES ($1, $2, $3, $4, $5)",
        state_sha256, browser_sha256, pending.nonce, pending.code_verifier, to_datetime(now_us),
    )  # fmt: skip


async def take_pending(
    connection: Connection, state_sha256: bytes, browser_sha256: bytes, now_us: int
) -> Pending | None:
    """What was remembered, once; None for another browser, a state used before, or too old."""
    row = await connection.fetchrow(
        "DELETE FROM pending_login WHERE state_sha256 = $1 AND browser_sha256 = $2 "
        "RETURNING nonce, code_verifier, began_at > $3 AS in_time",
        state_sha256, browser_sha256, to_datetime(now_us - PENDING_US),
    )  # fmt: skip
    if row is None or not row["in_time"]:
        return None
    return Pending(row["nonce"], row["code_verifier"])


async def use_once(connection: Connection, client_id: str, jti_sha256: bytes, until_us: int) -> bool:
    """Whether this assertion is seen for the first time; within a transaction that ends well."""
    status = await connection.execute(
        "INSERT INTO client_assertion VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        client_id, jti_sha256, to_datetime(until_us),
    )  # fmt: skip
    return status == "INSERT 0 1"


async def tidy(connection: Connection, now_us: int) -> None:
    """Forgets what is of no use any more: beginnings, assertions, old failures."""
    now_at = to_datetime(now_us)
    await connection.execute(
        "DELETE FROM pending_login WHERE began_at <= $1", to_datetime(now_us - PENDING_US)
    )
    await connection.execute("DELETE FROM client_assertion WHERE until_at < $1", now_at)
    await connection.execute("DELETE FROM login_failure WHERE failed_at < $1", to_datetime(now_us - DAY_US))

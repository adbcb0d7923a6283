"""Sessions: how long one holds, decided from what is stored of it and the time."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from models.access import User
from models.clock import HOUR_US, MINUTE_US, SECOND_US

IDLE_US = 15 * MINUTE_US
ABSOLUTE_US = 12 * HOUR_US
TOKEN_US = 10 * MINUTE_US
"""How long the token of a system is good for."""
SEEN_EVERY_US = 15 * SECOND_US
"""Use is written down at most so often: a session may end so much early, never late."""


class SessionKind(StrEnum):
    """How a session is shown: by the cookie of a browser, or by the bearer token of a system."""

    BROWSER = "browser"
    SYSTEM = "system"


class Ended(StrEnum):
    """Why a session was ended before its time."""

    LOGOUT = "logout"
    EVERYWHERE = "everywhere"
    PROVIDER = "provider"
    REPLACED = "replaced"
    """By the same browser, which logged in anew or chose another role."""
    WITHDRAWN = "withdrawn"
    """An administrator took the account or the client away."""


class Fault(StrEnum):
    """Why a session does not hold; the order in which it is looked for."""

    ENDED = "ended"
    ABSOLUTE = "absolute"
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class Session:
    """What is stored of a session. **Units**: microseconds since 1970 UTC."""

    session_id: UUID
    kind: SessionKind
    user: User
    began_us: int
    seen_us: int
    until_us: int
    ended_us: int | None = None
    tried_again: bool = False
    """It was used after its end before, which is on record."""


def fault_of(session: Session, now_us: int) -> Fault | None:
    """Why a session does not hold at this moment, None where it does.

    >>> from models.access import Role
    >>> user = User(UUID(int=1), UUID(int=2), Role.NURSE)
    >>> session = Session(UUID(int=3), SessionKind.BROWSER, user, 0, 0, ABSOLUTE_US)
    >>> fault_of(session, IDLE_US - 1), fault_of(session, IDLE_US)
    (None, <Fault.IDLE: 'idle'>)
    """
    if session.ended_us is not None:
        return Fault.ENDED
    if now_us >= session.until_us:
        return Fault.ABSOLUTE
    if session.kind is SessionKind.BROWSER and now_us - session.seen_us >= IDLE_US:
        return Fault.IDLE
    return None


def lifetime_us(kind: SessionKind) -> int:
    """How long a session lasts at most."""
    return ABSOLUTE_US if kind is SessionKind.BROWSER else TOKEN_US


def is_worth_noting(session: Session, now_us: int) -> bool:
    """Whether this use moves the idle end: not for every request of a page that sends many."""
    return session.kind is SessionKind.BROWSER and now_us - session.seen_us >= SEEN_EVERY_US

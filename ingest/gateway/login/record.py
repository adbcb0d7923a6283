"""What the audit log says of logins, logouts, refusals and lock-outs."""

from enum import StrEnum

from ingest.gateway.routes import SOURCE
from models.access import User
from models.audit import Event, Kind, Outcome

UNKNOWN = "unknown"
"""Who was refused and is nobody that we know. What they typed is not kept: it may be a password."""


class Door(StrEnum):
    """By which way somebody came."""

    OIDC = "oidc"
    LOCAL = "local"
    CLIENT = "client"
    SESSION = "session"
    COMMAND = "command"


def logged_in(door: Door, user: User, session: str, how: str, now_us: int) -> Event:
    """Somebody logged in; `how` says what they showed."""
    return _event("login", door, user, now_us, Outcome.ALLOWED, session, how)


def logged_out(user: User, session: str, why: str, now_us: int) -> Event:
    """A session was ended."""
    return _event("logout", Door.SESSION, user, now_us, Outcome.ALLOWED, session, why)


def refused(door: Door, user: User | None, why: str, now_us: int, session: str | None = None) -> Event:
    """Somebody was not let in."""
    return _event("login.refused", door, user, now_us, Outcome.REFUSED, session, why)


def blocked(door: Door, user: User | None, counted: str, now_us: int) -> Event:
    """After too many failures, attempts are not looked at for a while."""
    return _event("login.blocked", door, user, now_us, Outcome.REFUSED, None, counted)


def administered(code: str, user: User, now_us: int) -> Event:
    """An account or a system was added or removed, by who may use the command line of the server."""
    return _event(code, Door.COMMAND, user, now_us, Outcome.ALLOWED, None, "by the command line")


def _event(
    code: str, door: Door, user: User | None, now_us: int, outcome: Outcome, session: str | None, details: str
) -> Event:
    return Event(
        event_code=code,
        action=Kind.EXECUTE,
        happened_us=now_us,
        user_id=UNKNOWN if user is None else str(user.person_id),
        user_role="none" if user is None else user.role.value,
        identifier_type="none",
        identifier="-",
        authorisation_protocol=f"{code}/{door}",
        source=SOURCE,
        organisation_id=None if user is None else user.organisation_id,
        outcome=outcome,
        session=session,
        details=details,
    )

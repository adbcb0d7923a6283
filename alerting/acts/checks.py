"""What every act asks first: is it still open, whose is it, and is what was written something to keep."""

from uuid import UUID

from models.access import User
from models.alerts import Alert, AlertState
from models.errors import BadInput, Outdated

TEXT_AT_MOST = 4_000
"""Characters of a note, a reason, a question or an answer."""


def require_version(alert: Alert, version: int) -> None:
    """Refuses a decision that was made on another version than this one.

    **Raises**: Outdated.
    """
    if alert.version != version:
        raise Outdated(f"The alert is at version {alert.version}, you decided on version {version}.")


def require_unresolved(alert: Alert) -> None:
    """**Raises**: Outdated for an alert that is closed."""
    if alert.state is AlertState.RESOLVED:
        by = f" by {alert.owner}" if alert.owner is not None else ""
        raise Outdated(f"The alert was resolved{by} as {alert.outcome}; nothing can be done with it.")


def require_mine_or_nobodys(alert: Alert, by: User) -> None:
    """**Raises**: Outdated for an alert that is closed, or of somebody else; it names whom."""
    require_unresolved(alert)
    if alert.owner not in (None, by.person_id):
        raise _of_another(alert.owner)


def require_mine(alert: Alert, by: User) -> None:
    """**Raises**: Outdated for an alert that is closed, of somebody else (it names whom), or of nobody."""
    require_mine_or_nobodys(alert, by)
    if alert.owner is None:
        raise Outdated("Nobody has the alert: acknowledge it first.")


def written(text: str, where: str) -> str:
    """A text that somebody wrote, without the blanks around it.

    **Raises**: BadInput where it says nothing, is too long, or cannot be stored.
    """
    text = text.strip()
    if not text:
        raise BadInput(where=where, expected="a text", found="nothing")
    if len(text) > TEXT_AT_MOST:
        raise BadInput(where=where, expected=f"at most {TEXT_AT_MOST} characters", found=str(len(text)))
    # Postgres has no place for these two.
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise BadInput(where=where, expected="characters of Unicode but not NUL", found="others")
    return text


def _of_another(owner: UUID | None) -> Outdated:
    return Outdated(f"The alert is of {owner} already.")

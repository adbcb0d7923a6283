"""The errors of Thuiswacht, few and by what the caller should do."""

from collections.abc import Mapping


class ThuiswachtError(Exception):
    """The root of all errors that Thuiswacht raises on purpose."""


class TryAgain(ThuiswachtError):
    """Something outside is away for now; the same call may succeed later.

    `is_away` is False where who was asked is there and did not let it through: a lock, a limit of time. Who
    waits for one that is away does all that can be done; who is not let through for long is stuck.
    **Units**: `after_s` is in seconds.
    """

    def __init__(self, message: str, *, after_s: float = 1.0, is_away: bool = True) -> None:
        super().__init__(message)
        self.after_s = after_s
        self.is_away = is_away


class NotNow(ThuiswachtError):
    """We cannot take more at the moment (back-pressure); nothing is wrong with what was offered."""


class BadInput(ThuiswachtError):
    """This input will never be right: where it stands, what was expected, what was found."""

    def __init__(self, *, where: str, expected: str, found: str, reason: str = "bad_input") -> None:
        super().__init__(f"{where}: expected {expected}, found {found}")
        self.where = where
        self.expected = expected
        self.found = found
        self.reason = reason


class NotAllowed(ThuiswachtError):
    """Somebody is known who may not do this, or there is no such patient: the two look the same."""


class NotThere(ThuiswachtError):
    """What was named does not exist, or not any more."""


class Outdated(ThuiswachtError):
    """Somebody else changed this meanwhile: look again, then decide. `now`: how it is, where that helps."""

    def __init__(self, message: str, *, now: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.now = now


class NotMine(ThuiswachtError):
    """Another worker owns the partition now; drop what was derived from it, write nothing more."""

    def __init__(self, message: str, *, partitions: tuple[int, ...]) -> None:
        super().__init__(message)
        self.partitions = partitions


class RefuseToStart(ThuiswachtError):
    """The configuration is insecure, wrong or half done; the message says what is missing."""


class Broken(ThuiswachtError):
    """An invariant does not hold; going on would make it worse."""

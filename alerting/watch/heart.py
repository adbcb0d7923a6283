"""Whether all is well enough to say so to the watcher outside: silence there is what alarms."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Wrong(StrEnum):
    """Why no heartbeat is sent."""

    CANARY = "canary"
    """Readings do not come out as alerts in time, or nobody knows yet."""
    STEPS = "steps"
    """Nobody works off what is due."""
    AUDITOR = "auditor"
    """Nobody looks whether each open alert has a next step."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of the service. `canary_in_time`: None where no canary is kept.

    **Units**: seconds; `auditor_silent_s` is None where it never gave a sign.
    """

    canary_in_time: bool | None
    steps_overdue_s: float
    auditor_silent_s: float | None


@dataclass(frozen=True, slots=True)
class Limits:
    """What is still well. **Units**: seconds."""

    steps_s: float
    auditor_s: float


def wrong(signs: Signs, limits: Limits) -> Iterator[Wrong]:
    """What is wrong; nothing: the heart may beat.

    >>> list(wrong(Signs(True, 2.0, None), Limits(steps_s=300, auditor_s=300)))
    [<Wrong.AUDITOR: 'auditor'>]
    """
    if signs.canary_in_time is False:
        yield Wrong.CANARY
    if signs.steps_overdue_s > limits.steps_s:
        yield Wrong.STEPS
    if signs.auditor_silent_s is None or signs.auditor_silent_s > limits.auditor_s:
        yield Wrong.AUDITOR

"""What a policy comes to: the steps of a ladder, and how long each waits for what."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from models.escalations import Channel, Recipient, RequestKind
from models.findings import Severity, Signal


class PolicySeverity(StrEnum):
    """For which severities a ladder is: each of those of alerts, or any."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: who is asked for what, by which channels (the next when one gives up), and the waits.

    The first of them that passes leads to the next step: not delivered, not accepted, not resolved in time;
    None is not waited for. Of the first step, delivered is when the alert stands in the worklist, accepted
    when somebody acknowledged it. **Units**: microseconds, counted from when the step was taken.
    """

    recipient: Recipient
    request: RequestKind
    channels: tuple[Channel, ...]
    delivered_within_us: int | None
    accepted_within_us: int | None
    resolved_within_us: int | None
    question: str | None = None
    """Where the step asks instead of handing over: an entry of the teleconsultation list."""
    answer_within_us: int | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A ladder and its promises. **Units**: microseconds.

    After the last step the ladder begins again with it each `repeat_every_us`, until somebody accepts.
    """

    name: str
    version: int
    hash: str
    steps: tuple[Step, ...]
    resolve_within_us: int
    """So long a promise holds: counted from the acknowledgement, or from the end of a snooze."""
    snooze_at_most_us: int
    """The longest time in all for which an alert may be snoozed between two acknowledgements."""
    hand_over_within_us: int
    recheck_after_us: int
    repeat_every_us: int
    group_wait_us: int
    """So long the first message of a patient waits for others to join it; 0 for what is severe."""
    closes_by_itself: bool

    @property
    def label(self) -> str:
        """As it stands at an alert: NAME/VERSION."""
        return f"{self.name}/{self.version}"


@dataclass(frozen=True, slots=True)
class Policies:
    """All that are in force, by programme (`*`: any), signal and severity; the most exact entry counts."""

    by_key: Mapping[tuple[str, Signal | None, PolicySeverity], Policy]

    def of(self, programme: str, signal: Signal, severity: Severity) -> Policy:
        """The one that fits best: programme before signal before severity. There always is one."""
        level = PolicySeverity(severity.value)
        keys = (
            (name, about, how_bad)
            for name in (programme, "*")
            for about in (signal, None)
            for how_bad in (level, PolicySeverity.ANY)
        )
        return next(self.by_key[key] for key in keys if key in self.by_key)

"""What is known of a patient before, and what is to be written after."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from alerting.because import Because
from alerting.circumstances import Turn
from models.alerts import Alert, AlertHappening, AlertState
from models.findings import Finding, Severity, Signal
from models.messages import Origin

MayClose = Callable[[Alert, Sequence[Finding]], bool]
"""Whether the policy of an alert, with these reasons, lets it close by itself."""


def by_any_policy(_alert: Alert, _reasons: Sequence[Finding]) -> bool:
    """As policies mostly say of what is low or technical."""
    return True


@dataclass(frozen=True, slots=True)
class Book:
    """What is stored of one patient, as far as it may matter now.

    `findings` are those before the changes; `links` gives the alert that a finding belongs to (the latest,
    where it was in several). `because` tells why findings changed late, where any did.
    """

    patient_id: UUID
    organisation_id: UUID
    origin: Origin
    timeline: Sequence[Turn]
    findings: Mapping[UUID, Finding]
    alerts: Mapping[UUID, Alert]
    links: Mapping[UUID, UUID]
    because: Because = field(default_factory=dict[str, object])
    may_close: MayClose = by_any_policy


@dataclass(frozen=True, slots=True)
class Joined:
    """A finding became a reason of an alert. **Units**: `at_us` in microseconds since 1970 UTC."""

    alert_id: UUID
    finding_id: UUID
    at_us: int


@dataclass(frozen=True, slots=True)
class Consequences:
    """What is to be written: alerts as they are now, their new reasons, their events in order."""

    alerts: tuple[Alert, ...]
    joined: tuple[Joined, ...]
    events: tuple[AlertHappening, ...]


def waits(finding: Finding) -> bool:
    """Whether nobody is to see it yet: a measurement is in doubt, and it is not bad enough to be seen anyway.

    It is evaluated again when the doubt is over, and is then seen like any other, or never was.
    """
    return finding.unconfirmed and finding.severity is not Severity.HIGH


def closes_by_itself(alert: Alert) -> bool:
    """Whether nobody has to look any more once nothing holds: low or technical, nobody's, told to nobody.

    If its policy lets it, which is another question. A remark is read by a person, however low it is.
    """
    return (
        alert.state is AlertState.OPEN
        and alert.owner is None
        and not alert.sent
        and alert.signal is not Signal.REMARK
        and (alert.severity is Severity.LOW or alert.signal.technical)
    )

"""Findings: stretches of time in which one rule holds for one patient; the engine's verdict."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID, uuid5


class Severity(StrEnum):
    """How bad it is when nobody responds, after IEC 60601-1-8."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """For comparing: the text of a severity does not sort."""
        return ("low", "medium", "high").index(self.value)


class Signal(StrEnum):
    """What a rule speaks about; a patient has at most one open alert for each."""

    FLUID = "fluid"
    BREATHING = "breathing"
    PRESSURE = "pressure"
    HEART_RATE = "heart_rate"
    GLUCOSE = "glucose"
    INFECTION = "infection"
    ACTIVITY = "activity"
    NUTRITION = "nutrition"
    CONSCIOUSNESS = "consciousness"
    DETERIORATION = "deterioration"
    SILENCE = "silence"
    DEVICE = "device"
    REMARK = "remark"
    """The patient wrote something: no rule speaks about it, a person reads it."""

    @property
    def technical(self) -> bool:
        """Whether it is about measuring rather than about the patient."""
        return self in (Signal.SILENCE, Signal.DEVICE)


CODE_UNIT = "{code}"
"""The unit of an answer: its place in its kind's closed list, counted from 0."""


@dataclass(frozen=True, slots=True)
class EvidenceReading:
    """A reading that a feature looked at. **Units**: `value` in `unit`, as received; a code by its number."""

    kind: str
    taken_at_us: int
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """One feature as it was when a finding opened or rose, beside the limit it was compared with.

    `count` is how many readings (bins, daily values) it looked at, `readings` at most 12 of them, the newest
    last. Findings from before these were kept have none of what follows the limit's value.

    **Units**: `value` and `limit_value` are both in `unit` (UCUM); None where the feature was unknown.
    """

    feature: str
    value: float | None
    unit: str
    limit: str
    limit_value: float | None
    comparator: str = ""
    holds: bool | None = None
    window_us: int = 0
    count: int = 0
    readings: tuple[EvidenceReading, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleIdentity:
    """Which rule speaks, and what the alerts need to know of it.

    **Units**: `cooldown_us` in microseconds, 0 for none.
    """

    programme: str
    version: int
    rule: str
    signal: Signal
    programme_hash: str
    cooldown_us: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding as it is stored. **Units**: times in microseconds since 1970 UTC.

    `unconfirmed`: it opened or rose while a measurement that it may rest on waits for a repeat.
    """

    finding_id: UUID
    patient_id: UUID
    organisation_id: UUID
    log_partition: int
    programme: str
    version: int
    rule: str
    signal: Signal
    severity: Severity
    opened_at_us: int
    opening: tuple[Evidence, ...]
    programme_hash: str
    cleared_at_us: int | None = None
    raised_at_us: int | None = None
    raised: tuple[Evidence, ...] = ()
    retracted: bool = False
    quiet: bool = False
    unconfirmed: bool = False

    @property
    def holds(self) -> bool:
        """Whether the rule still holds for the patient."""
        return self.cleared_at_us is None and not self.retracted


def finding_id(patient_id: UUID, programme: str, rule: str, opened_at_us: int) -> UUID:
    """The id that a finding has in every run.

    >>> str(finding_id(UUID(int=7), "heart_failure", "weight_gain_3d", 1_795_332_660_000_000))
    'f43cc8da-832f-5a16-9aca-f65220f4a30f'
    """
    return uuid5(patient_id, f"{programme}/{rule}/{opened_at_us}")

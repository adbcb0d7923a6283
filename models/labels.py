"""What really happened to a patient, known from elsewhere: planted by a simulator, or told by people."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum


class About(StrEnum):
    """Whose event it is. Only the patient's are for the rules to find; the others explain what is odd."""

    PATIENT = "patient"
    DEVICE = "device"
    """Its clock, its unit, a probe that is off, a vendor that is away."""
    PERSON = "person"
    """Somebody else on the scale, clothes, a journey, a pause."""


@dataclass(frozen=True, slots=True)
class Label:
    """One event: what a perfect observer would know.

    `kind` is the event's (fluid_overload), `signals` are those whose alerts speak of it. `detectable_at_us`
    is from when somebody who looks could see it, without noise; None when nobody ever could. `cut_off` when
    what is known ends before its worst was reached.

    **Units**: microseconds since 1970 UTC.
    """

    patient_id: str
    kind: str
    signals: tuple[str, ...]
    onset_us: int
    detectable_at_us: int | None
    worst_us: int
    end_us: int
    admitted: bool
    cut_off: bool
    about: About = About.PATIENT


def label_lines(labels: Iterable[Label]) -> list[str]:
    """Labels as lines of JSON, in order of onset."""
    ordered = sorted(labels, key=lambda label: (label.onset_us, label.patient_id, label.kind))
    return [json.dumps(asdict(label), separators=(",", ":")) for label in ordered]


def labels_digest(labels: Iterable[Label]) -> str:
    """One short text that is equal when all labels are."""
    return hashlib.sha256("\n".join(label_lines(labels)).encode()).hexdigest()

"""How well the rules did on deteriorations that were planted; the definitions are in the folder's README."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.clock import DAY_US
from models.findings import Signal
from models.labels import About, Label

NEVER_US = 2**62
GRACE_US = 7 * DAY_US
"""For a week after its end, what is still seen of a deterioration is no false alert."""


@dataclass(frozen=True, slots=True)
class Found:
    """A finding that was not retracted. **Units**: microseconds since 1970; None while it holds."""

    patient_id: str
    signal: Signal
    opened_at_us: int
    cleared_at_us: int | None


@dataclass(frozen=True, slots=True)
class Score:
    """What the rules found of what was planted.

    `detectable` of the planted ones could be seen by a perfect observer; `detected_of_detectable` of these
    were found.
    """

    planted: int
    detectable: int
    detected: int
    detected_of_detectable: int
    false_alerts: int
    patient_years: float

    @property
    def false_alerts_per_patient_year(self) -> float:
        """0 where nobody was followed."""
        return self.false_alerts / self.patient_years if self.patient_years else 0.0


def score(findings: Sequence[Found], labels: Sequence[Label], followed_us: Mapping[str, int]) -> Score:
    """Compare what was found with what was planted.

    **Units**: `followed_us` is how long each patient was followed, in microseconds.
    """
    # What happened to devices explains much, but is not for the rules to find.
    labels = [label for label in labels if label.about is About.PATIENT]
    planted = [label for label in labels if not label.cut_off]
    of_patient: defaultdict[str, list[Found]] = defaultdict(list)
    for finding in findings:
        of_patient[finding.patient_id].append(finding)
    detected = [
        label for label in planted if any(_fits(finding, label) for finding in of_patient[label.patient_id])
    ]
    # Also those that were cut off explain what is seen of them.
    explained: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for label in labels:
        explained[label.patient_id].append((label.onset_us, label.end_us + GRACE_US))
    false_alerts = sum(
        not any(_overlap(alert, event) for event in explained[patient])
        for patient, found in of_patient.items()
        for alert in as_alerts(found)
    )
    return Score(
        planted=len(planted),
        detectable=sum(label.detectable_at_us is not None for label in planted),
        detected=len(detected),
        detected_of_detectable=sum(label.detectable_at_us is not None for label in detected),
        false_alerts=false_alerts,
        patient_years=sum(followed_us.values()) / (365 * DAY_US),
    )


def as_alerts(findings: Sequence[Found]) -> list[tuple[int, int]]:
    """Findings about one patient, taken together as alerts on that patient are: per signal, while any holds.

    Only those about the patient; that nothing came in is true. Gives from and until, in microseconds.
    """
    alerts: list[tuple[int, int]] = []
    for signal in Signal:
        spans = sorted(
            (finding.opened_at_us, NEVER_US if finding.cleared_at_us is None else finding.cleared_at_us)
            for finding in findings
            if finding.signal is signal and not signal.technical
        )
        last: tuple[int, int] | None = None
        for begin, end in spans:
            if last is not None and begin <= last[1]:
                last = (last[0], max(last[1], end))
                alerts[-1] = last
            else:
                last = (begin, end)
                alerts.append(last)
    return alerts


def _fits(finding: Found, label: Label) -> bool:
    is_about_it = finding.signal.value in label.signals
    return is_about_it and label.onset_us <= finding.opened_at_us <= label.end_us


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]

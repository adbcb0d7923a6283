"""What happened to whom, as columns; which alerts told of it in time, and which speak of nothing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from alerting.backtest.alerts import SIGNALS, TECHNICAL, Alerts
from alerting.backtest.found import NEVER_US, Followed
from models.clock import DAY_US
from models.labels import About, Label

GRACE_US = 7 * DAY_US
"""For a week after its end, what is still seen of a patient's event is no false alert."""

_CLINICAL = sum(1 << place for place in range(len(SIGNALS)) if not TECHNICAL[place])

Times = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Why(IntEnum):
    """What an alert speaks of, as far as the labels know: the first that applies."""

    NOTHING = 0
    PATIENT = 1
    DEVICE = 2
    PERSON = 3


_WHY = {About.PATIENT: Why.PATIENT, About.DEVICE: Why.DEVICE, About.PERSON: Why.PERSON}


@dataclass(frozen=True, slots=True)
class Events:
    """Labels of those who were followed, by patient, then onset.

    `kind` is a place in `kinds`; `signals` has a bit for each of SIGNALS whose alerts may find it. `counts`:
    it is one of the patient's own that was followed from its onset to its worst; only these can be found or
    missed, the others explain. `detectable_us` is NEVER_US for those that nobody could see. `strangers`:
    labels of patients who were not followed.

    **Units**: microseconds since 1970 UTC.
    """

    kinds: Sequence[str]
    patient: NDArray[np.int32]
    kind: NDArray[np.int16]
    signals: NDArray[np.int64]
    why: NDArray[np.int8]
    onset_us: Times
    detectable_us: Times
    worst_us: Times
    end_us: Times
    admitted: Flags
    counts: Flags
    strangers: int = 0

    def __len__(self) -> int:
        return len(self.patient)

    @property
    def detectable(self) -> Flags:
        """Those that somebody who looked could have seen."""
        return self.detectable_us < NEVER_US


def events_of(labels: Iterable[Label], followed: Followed) -> Events:
    """Labels as events of those who were followed."""
    places = {patient: place for place, patient in enumerate(followed.patients)}
    given = list(labels)
    known = [label for label in given if label.patient_id in places]
    known.sort(key=lambda label: (places[label.patient_id], label.onset_us, label.kind))
    kinds = sorted({label.kind for label in known})
    kind_places = {kind: place for place, kind in enumerate(kinds)}
    patient = np.array([places[label.patient_id] for label in known], np.int32)
    onset_us = np.array([label.onset_us for label in known], np.int64)
    worst_us = np.array([label.worst_us for label in known], np.int64)
    own = np.array([label.about is About.PATIENT and not label.cut_off for label in known], np.bool_)
    wholly = (followed.from_us[patient] <= onset_us) & (worst_us <= followed.until_us[patient])
    return Events(
        kinds=kinds,
        patient=patient,
        kind=np.array([kind_places[label.kind] for label in known], np.int16),
        signals=np.array([_bits(label.signals) for label in known], np.int64),
        why=np.array([_WHY[label.about] for label in known], np.int8),
        onset_us=onset_us,
        detectable_us=np.array(
            [NEVER_US if label.detectable_at_us is None else label.detectable_at_us for label in known],
            np.int64,
        ),
        worst_us=worst_us,
        end_us=np.array([label.end_us for label in known], np.int64),
        admitted=np.array([label.admitted for label in known], np.bool_),
        counts=own & wholly,
        strangers=len(given) - len(known),
    )


def _bits(signals: Sequence[str]) -> int:
    """The signals as bits; none given: any that is about the patient."""
    return sum(1 << SIGNALS.index(s) for s in SIGNALS if s.value in signals) or _CLINICAL


def first_told_us(alerts: Alerts, told_us: Times, events: Events) -> Times:
    """When each event was first told of between its onset and its end, by a signal that fits; else NEVER_US.

    `told_us` is when each reason of the alerts was told. **Shape**: [events].
    """
    patient, signal = alerts.patient[alerts.reason_alert], alerts.signal[alerts.reason_alert]
    told = _first_told_us(
        events.patient, events.signals, events.onset_us, events.end_us, patient, signal, told_us
    )
    return np.asarray(told, np.int64)


def explained(alerts: Alerts, events: Events) -> NDArray[np.int8]:
    """What each alert speaks of. **Shape**: [alerts], of Why.

    An event of the patient explains what is seen from its onset to a week after its end, whatever the
    signal; trouble with a device or a person explains what is seen while it lasts.
    """
    until_us = events.end_us + np.where(events.why == Why.PATIENT, GRACE_US, 0)
    why = _explained(
        alerts.patient,
        alerts.opened_at_us,
        alerts.closed_at_us,
        events.patient,
        events.why,
        events.onset_us,
        until_us,
    )
    return np.asarray(why, np.int8)


# numba takes what is called from compiled code only as an object of its own, which has no types.
_compiled: Callable[[Callable[..., Any]], Callable[..., Any]] = njit(cache=True, nogil=True)


@_compiled
def _first_told_us(
    e_patient: Any, e_signals: Any, onset_us: Any, end_us: Any, patient: Any, signal: Any, told_us: Any
) -> Any:
    first_us = np.full(len(e_patient), NEVER_US, np.int64)
    begin = 0
    for event in range(len(e_patient)):
        while begin < len(patient) and patient[begin] < e_patient[event]:
            begin += 1
        row = begin
        while row < len(patient) and patient[row] == e_patient[event]:
            fits = (e_signals[event] >> signal[row]) & 1
            if fits and onset_us[event] <= told_us[row] <= end_us[event]:
                first_us[event] = min(first_us[event], told_us[row])
            row += 1
    return first_us


@_compiled
def _explained(
    patient: Any, opened_us: Any, closed_us: Any, e_patient: Any, e_why: Any, onset_us: Any, until_us: Any
) -> Any:
    why = np.zeros(len(patient), np.int8)
    begin = 0
    for alert in range(len(patient)):
        while begin < len(e_patient) and e_patient[begin] < patient[alert]:
            begin += 1
        event = begin
        while event < len(e_patient) and e_patient[event] == patient[alert]:
            if opened_us[alert] <= until_us[event] and onset_us[event] <= closed_us[alert]:
                why[alert] = e_why[event] if why[alert] == 0 else min(why[alert], e_why[event])
            event += 1
    return why

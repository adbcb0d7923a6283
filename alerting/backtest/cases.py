"""Cases to look at: of one version what it found, missed, raised for nothing; of two what differs."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from alerting.backtest.alerts import SIGNALS, Alerts
from alerting.backtest.comparing import shared
from alerting.backtest.events import Events
from alerting.backtest.found import NEVER_US, Followed
from alerting.backtest.judged import Counted, Judged
from models.clock import DAY_US
from models.findings import Signal

BEFORE_US, AFTER_US = 14 * DAY_US, 7 * DAY_US
"""So much of what was measured is shown around a case."""
LONGEST_US = 120 * DAY_US
EXAMPLES_OF_EACH = 2

Flags = NDArray[np.bool_]


class About(StrEnum):
    """What a case shows."""

    FOUND_BY_SECOND_ONLY = "found_by_second_only"
    FOUND_BY_FIRST_ONLY = "found_by_first_only"
    FALSE_IN_SECOND_ONLY = "false_in_second_only"
    FALSE_IN_FIRST_ONLY = "false_in_first_only"
    FOUND = "found"
    MISSED = "missed"
    FALSE = "false"
    RAISED_BY_SECOND_ONLY = "raised_by_second_only"
    RAISED_BY_FIRST_ONLY = "raised_by_first_only"
    RAISED = "raised"


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to look at: of whom, about which signals, and what to draw around it.

    `patient` is an index into `Followed.patients`; `zero_us`: where its event or alert begins.

    **Units**: microseconds since 1970 UTC.
    """

    about: About
    patient: int
    signals: Sequence[Signal]
    zero_us: int
    from_us: int
    until_us: int


def cases(
    versions: Sequence[Judged], events: Events | None, followed: Followed, counted: Counted = Counted.MANUAL
) -> Sequence[Case]:
    """A few of each sort, picked by a hash of the patient: nobody chose them."""
    first, second = versions[0], versions[1] if len(versions) > 1 else None
    picked: list[Case] = []
    for about, of_event, places in _of_interest(first, second, events, counted):
        judged = second if second is not None and "second" in about.value else first
        patient = events.patient if of_event and events is not None else judged.alerts.patient
        for place in _by_chance(about, patient[places], followed)[:EXAMPLES_OF_EACH]:
            if of_event and events is not None:
                case = _of_event(about, events, int(places[place]))
            else:
                case = _of_alert(about, judged.alerts, int(places[place]))
            picked.append(_within(case, followed))
    return picked


def _by_chance(about: About, patient: NDArray[np.int32], followed: Followed) -> list[int]:
    """Places in an order that only depends on the ids of patients, of each patient the first only."""
    patients, first = np.unique(patient, return_index=True)
    hashes = [
        hashlib.sha256(f"{followed.patients[one]}/{about}".encode()).digest() for one in patients.tolist()
    ]
    return [int(first[place]) for place in sorted(range(len(hashes)), key=hashes.__getitem__)]


def _of_interest(
    first: Judged, second: Judged | None, events: Events | None, counted: Counted
) -> list[tuple[About, bool, NDArray[np.int64]]]:
    """What may be shown: what about, whether they are events (else alerts), and which."""
    chosen: list[tuple[About, bool, Flags]] = []
    if second is not None:
        mine = first.counted(counted) & ~shared(first, second, counted)
        other = second.counted(counted) & ~shared(second, first, counted)
        if events is None:
            chosen = [(About.RAISED_BY_SECOND_ONLY, False, other), (About.RAISED_BY_FIRST_ONLY, False, mine)]
        else:
            one, two = (events.counts & (v.first_us[counted] < NEVER_US) for v in (first, second))
            chosen = [
                (About.FOUND_BY_SECOND_ONLY, True, two & ~one),
                (About.FOUND_BY_FIRST_ONLY, True, one & ~two),
                (About.FALSE_IN_SECOND_ONLY, False, other & second.is_false(counted)),
                (About.FALSE_IN_FIRST_ONLY, False, mine & first.is_false(counted)),
                (About.MISSED, True, events.counts & ~one & ~two),
            ]
    elif events is None:
        chosen = [(About.RAISED, False, first.counted(counted) & first.alerts.clinical)]
    else:
        one = first.first_us[counted] < NEVER_US
        chosen = [
            (About.FOUND, True, events.counts & one),
            (About.MISSED, True, events.counts & ~one),
            (About.FALSE, False, first.is_false(counted)),
        ]
    return [(about, of_event, np.flatnonzero(which)) for about, of_event, which in chosen]


def _of_event(about: About, events: Events, place: int) -> Case:
    bits = int(events.signals[place])
    return Case(
        about=about,
        patient=int(events.patient[place]),
        signals=[signal for number, signal in enumerate(SIGNALS) if bits >> number & 1],
        zero_us=int(events.onset_us[place]),
        from_us=int(events.onset_us[place]) - BEFORE_US,
        until_us=int(events.end_us[place]) + AFTER_US,
    )


def _of_alert(about: About, alerts: Alerts, place: int) -> Case:
    opened_us = int(alerts.opened_at_us[place])
    return Case(
        about=about,
        patient=int(alerts.patient[place]),
        signals=[SIGNALS[int(alerts.signal[place])]],
        zero_us=opened_us,
        from_us=opened_us - BEFORE_US,
        until_us=min(int(alerts.closed_at_us[place]), opened_us + LONGEST_US) + AFTER_US,
    )


def _within(case: Case, followed: Followed) -> Case:
    """As far as the patient was followed, and not too long to be drawn."""
    from_us = max(case.from_us, int(followed.from_us[case.patient]))
    until_us = min(case.until_us, int(followed.until_us[case.patient]), from_us + LONGEST_US)
    return replace(case, from_us=from_us, until_us=max(from_us, until_us))

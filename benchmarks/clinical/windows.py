"""Zhang's way of counting: weeks before an event with an alert, and weeks without an event with one."""

import numpy as np
from numpy.typing import NDArray

from alerting.backtest.alerts import Alerts
from alerting.backtest.bootstrap import Draws, Figure, Ratio, Sheet
from alerting.backtest.events import GRACE_US, Events, Why
from alerting.backtest.found import Followed
from models.clock import DAY_US

WINDOW_US = 14 * DAY_US
"""**Source**: the change of weight before events and otherwise is over 14 days (Zhang 2009)."""

Flags = NDArray[np.bool_]
Times = NDArray[np.int64]


def share_before_events(alerts: Alerts, events: Events, followed: Followed, draws: Draws) -> Figure:
    """Of the events that count, those with an alert that held within the 14 days before the worst."""
    counts = events.counts
    patient, until_us = events.patient[counts], events.worst_us[counts]
    alerted = held_within(alerts, patient, until_us - WINDOW_US, until_us)
    return _share(alerted, patient, len(followed.patients), draws)


def share_of_event_free(alerts: Alerts, events: Events, followed: Followed, draws: Draws) -> Figure:
    """Of the stretches of 14 days without anything of an event in them, those in which an alert held."""
    patient, from_us = event_free(events, followed)
    alerted = held_within(alerts, patient, from_us, from_us + WINDOW_US)
    return _share(alerted, patient, len(followed.patients), draws)


def event_free(events: Events, followed: Followed) -> tuple[NDArray[np.int32], Times]:
    """Who and from when: one after the other from the first day, those left out that touch an event.

    An event is touched from its onset to a week after its end.
    """
    patients: list[NDArray[np.int32]] = []
    begins: list[Times] = []
    own = events.why == Why.PATIENT
    whole = np.maximum(followed.until_us - followed.from_us, 0) // WINDOW_US
    for patient, windows in enumerate(whole.tolist()):
        begin_us = followed.from_us[patient] + np.arange(windows, dtype=np.int64) * WINDOW_US
        mine = own & (events.patient == patient)
        touched = (begin_us[:, None] <= events.end_us[mine] + GRACE_US) & (
            begin_us[:, None] + WINDOW_US >= events.onset_us[mine]
        )
        free = begin_us[~touched.any(axis=1)]
        begins.append(free)
        patients.append(np.full(len(free), patient, np.int32))
    return np.concatenate(patients), np.concatenate(begins)


def held_within(alerts: Alerts, patient: NDArray[np.int32], from_us: Times, until_us: Times) -> Flags:
    """Whether an alert of each patient held at some moment of a stretch. **Shape**: [stretches]."""
    first = np.searchsorted(alerts.patient, patient, side="left")
    after = np.searchsorted(alerts.patient, patient, side="right")
    found = np.zeros(len(patient), np.bool_)
    for row, (begin, end) in enumerate(zip(first, after, strict=True)):
        opened, closed = alerts.opened_at_us[begin:end], alerts.closed_at_us[begin:end]
        clinical = alerts.clinical[begin:end]
        found[row] = bool(np.any(clinical & (opened <= until_us[row]) & (closed >= from_us[row])))
    return found


def _share(which: Flags, patient: NDArray[np.int32], patients: int, draws: Draws) -> Figure:
    sheet = Sheet(draws)
    over = sheet.add(np.bincount(patient[which], minlength=patients).astype(np.int64))
    under = sheet.add(np.bincount(patient, minlength=patients).astype(np.int64))
    return sheet.drawn(Ratio(over, under)).figure()

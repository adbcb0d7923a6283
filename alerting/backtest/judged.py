"""One version of the rules held against what happened: which alerts count, what they told of, and when."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from alerting.backtest.alerts import Alerts, as_alerts
from alerting.backtest.events import Events, Why, explained, first_told_us
from alerting.backtest.found import NEVER_US, Found
from alerting.backtest.result import Held
from alerting.escalation.policy import Policies
from models.clock import DAY_US


class Counted(StrEnum):
    """Which alerts are counted."""

    MANUAL = "manual"
    """Those shown to a person and not closed by themselves."""
    ALL = "all"
    """Each that opened, however quiet, and whatever became of it."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A version's alerts beside the events; all about events is empty where none are known.

    `first_us`: when each event was first told of in time, by the alerts that are counted; else NEVER_US.
    `why`: what each alert speaks of, as Why.

    **Shape**: `first_us` [events], `why` [alerts]. **Units**: microseconds since 1970 UTC.
    """

    name: str
    found: Found
    alerts: Alerts
    first_us: Mapping[Counted, NDArray[np.int64]]
    why: NDArray[np.int8]

    def counted(self, counted: Counted) -> NDArray[np.bool_]:
        """Which alerts are."""
        return self.alerts.manual if counted is Counted.MANUAL else np.ones(len(self.alerts), np.bool_)

    def moments_us(self, counted: Counted) -> NDArray[np.int64]:
        """When each alert was there: for people, when they were shown it."""
        return self.alerts.shown_at_us if counted is Counted.MANUAL else self.alerts.opened_at_us

    def is_false(self, counted: Counted) -> NDArray[np.bool_]:
        """Which of the alerts about the patient's condition speak of none of their events."""
        return self.counted(counted) & self.alerts.clinical & (self.why != Why.PATIENT)


def judge(
    name: str,
    found: Found,
    events: Events | None,
    policies: Policies | None = None,
    held: Held | None = None,
) -> Judged:
    """What a version found, as alerts beside the events."""
    alerts = as_alerts(found, policies, held)
    first_us: dict[Counted, NDArray[np.int64]] = {}
    why = np.zeros(len(alerts), np.int8)
    if events is not None:
        manual = alerts.manual[alerts.reason_alert]
        heard_us = found.opened_at_us[alerts.reason_found]
        first_us[Counted.MANUAL] = first_told_us(
            alerts, np.where(manual, alerts.told_at_us, NEVER_US), events
        )
        first_us[Counted.ALL] = first_told_us(alerts, heard_us, events)
        why = explained(alerts, events)
    return Judged(name, found, alerts, first_us, why)


def rules_alone(found: Found) -> Iterator[tuple[int, Found]]:
    """What each rule found, as if there were no other; rules that found nothing are among them."""
    for place in range(len(found.rules)):
        rows = np.flatnonzero(found.rule == place)
        yield (
            place,
            replace(
                found,
                patient=found.patient[rows],
                rule=found.rule[rows],
                severity=found.severity[rows],
                opened_at_us=found.opened_at_us[rows],
                cleared_at_us=found.cleared_at_us[rows],
                quiet=found.quiet[rows],
            ),
        )


def lead_days(first_us: NDArray[np.int64], events: Events) -> NDArray[np.float64]:
    """How long before its worst each event was told of; NaN where it was not, negative where too late."""
    told = first_us < NEVER_US
    return np.where(told, (events.worst_us - np.where(told, first_us, 0)) / DAY_US, np.nan)

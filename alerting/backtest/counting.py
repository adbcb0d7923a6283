"""Counting what the figures are made of: for each patient, in columns, all drawn together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from alerting.backtest.alerts import SIGNALS
from alerting.backtest.bootstrap import Drawn, Draws, Numbers, Ratio, Sheet
from alerting.backtest.events import Events, Why
from alerting.backtest.found import NEVER_US, Followed
from alerting.backtest.judged import Counted, Judged, lead_days
from alerting.engine.local_days import AMSTERDAM
from models.clock import HOUR_US
from models.findings import Signal

SECONDS_A_DAY = 86_400
DAYS_A_YEAR = 365
PER_PATIENTS = 1_000
"""Load by the hour is told for so many patients who are followed."""
SHIFTS: Mapping[str, range] = {"day": range(8, 16), "evening": range(16, 24), "night": range(8)}
"""The shifts of nurses, by the hours of Amsterdam."""
QUARTILES = (0.25, 0.5, 0.75)


class Name(StrEnum):
    """What is measured; texts.yaml has the definition of each."""

    SENSITIVITY = "sensitivity"
    SENSITIVITY_DETECTABLE = "sensitivity_detectable"
    SENSITIVITY_BEFORE_WORST = "sensitivity_before_worst"
    FALSE_PER_YEAR = "false_alerts_per_patient_year"
    PRECISION = "precision"
    FALSE_WITH_CAUSE = "false_alerts_with_known_cause"
    LEAD_Q1 = "lead_days_quartile_1"
    LEAD_MEDIAN = "lead_days_median"
    LEAD_Q3 = "lead_days_quartile_3"
    ALERTS_PER_100_DAYS = "alerts_per_100_patient_days"
    DAY_SHIFT = "alerts_per_day_shift"
    EVENING_SHIFT = "alerts_per_evening_shift"
    NIGHT_SHIFT = "alerts_per_night_shift"
    PEAK_HOUR = "alerts_in_peak_hour"


LEADS = (Name.LEAD_Q1, Name.LEAD_MEDIAN, Name.LEAD_Q3)
OF_SHIFTS = {"day": Name.DAY_SHIFT, "evening": Name.EVENING_SHIFT, "night": Name.NIGHT_SHIFT}
ABOUT_EVENTS = frozenset(Name) - {Name.ALERTS_PER_100_DAYS, *OF_SHIFTS.values(), Name.PEAK_HOUR}


@dataclass(frozen=True, slots=True)
class Specs:
    """Which columns make which figures of one version or rule; the leads, and whose each was."""

    ratios: Mapping[Name, Ratio]
    by_signal: Mapping[Signal, Ratio]
    by_kind: Mapping[str, Ratio]
    hours: Sequence[int]
    leads: tuple[Numbers, NDArray[np.int64]]


class Counter:
    """Counts for everybody, and draws; one for all versions, so that all are counted among the same draws.

    Who was followed for no time at all is not drawn.
    """

    def __init__(self, followed: Followed, events: Events | None, draws: Draws) -> None:
        self.patients = len(followed.patients)
        self.followed = np.flatnonzero(followed.days > 0)
        self.events = events
        self.draws = draws
        self.sheet = Sheet(draws)
        seconds = np.maximum(followed.until_us - followed.from_us, 0) // 1_000_000
        self.seconds = self.sheet.add(seconds[self.followed])
        if events is not None:
            self.counted = self.per_patient(events.patient, events.counts)
            self.detectable = self.per_patient(events.patient, events.counts & events.detectable)
            self.of_kind = {
                kind: self.per_patient(events.patient, events.counts & (events.kind == place))
                for place, kind in enumerate(events.kinds)
                if bool(np.any(events.counts & (events.kind == place)))
            }

    def per_patient(self, patient: NDArray[np.int32], which: NDArray[np.bool_]) -> int:
        """How many of them each patient has, as a column of the sheet."""
        counts = np.bincount(patient[which], minlength=self.patients).astype(np.int64)
        return self.sheet.add(counts[self.followed])

    def per_days(self, over: int, days: float) -> Ratio:
        """So many in so many patient-days."""
        return Ratio(over, self.seconds, days * SECONDS_A_DAY)

    def columns(self, judged: Judged, counted: Counted, *, whole: bool) -> Specs:
        """The columns of a version (`whole`: with hours, signals and kinds) or of a rule."""
        alerts, which = judged.alerts, judged.counted(counted)
        ratios = {Name.ALERTS_PER_100_DAYS: self.per_days(self.per_patient(alerts.patient, which), 100)}
        by_signal: dict[Signal, Ratio] = {}
        hours: list[int] = []
        if whole:
            for place, signal in enumerate(SIGNALS):
                if bool(np.any(some := which & (alerts.signal == place))):
                    by_signal[signal] = self.per_days(self.per_patient(alerts.patient, some), 100)
            hour = hours_of_day(judged.moments_us(counted)[which])
            hours = [self.per_patient(alerts.patient[which], hour == of_day) for of_day in range(24)]
        by_kind: dict[str, Ratio] = {}
        leads = np.zeros(0), np.zeros(0, np.int64)
        if self.events is not None:
            ratios |= self._of_events(judged, counted, self.events)
            leads = self._leads(judged, counted, self.events)
            if whole:
                by_kind = self._of_kinds(judged, counted, self.events)
        return Specs(ratios, by_signal, by_kind, hours, leads)

    def _of_events(self, judged: Judged, counted: Counted, events: Events) -> dict[Name, Ratio]:
        alerts, which, false = judged.alerts, judged.counted(counted), judged.is_false(counted)
        first_us = judged.first_us[counted]
        told = events.counts & (first_us < NEVER_US)

        def column(some: NDArray[np.bool_]) -> int:
            return self.per_patient(events.patient, some)

        clinical = self.per_patient(alerts.patient, which & alerts.clinical)
        of_events = self.per_patient(alerts.patient, which & alerts.clinical & (judged.why == Why.PATIENT))
        is_false = self.per_patient(alerts.patient, false)
        caused = self.per_patient(alerts.patient, false & (judged.why != Why.NOTHING))
        return {
            Name.SENSITIVITY: Ratio(column(told), self.counted),
            Name.SENSITIVITY_DETECTABLE: Ratio(column(told & events.detectable), self.detectable),
            Name.SENSITIVITY_BEFORE_WORST: Ratio(column(told & (first_us < events.worst_us)), self.counted),
            Name.FALSE_PER_YEAR: self.per_days(is_false, DAYS_A_YEAR),
            Name.PRECISION: Ratio(of_events, clinical),
            Name.FALSE_WITH_CAUSE: Ratio(caused, is_false),
        }

    def _of_kinds(self, judged: Judged, counted: Counted, events: Events) -> dict[str, Ratio]:
        told = events.counts & (judged.first_us[counted] < NEVER_US)
        return {
            kind: Ratio(self.per_patient(events.patient, told & (events.kind == place)), self.of_kind[kind])
            for place, kind in enumerate(events.kinds)
            if kind in self.of_kind
        }

    def figures(self, specs: Specs) -> Mapping[Name, Drawn]:
        """All figures of a version or rule, with every draw of each; best asked when all columns are in."""
        drawn = {name: self.sheet.drawn(ratio) for name, ratio in specs.ratios.items()}
        if specs.hours:
            per_hour = [self.sheet.drawn(self.per_days(column, PER_PATIENTS)) for column in specs.hours]
            for shift, hours in SHIFTS.items():
                drawn[OF_SHIFTS[shift]] = _summed([per_hour[hour] for hour in hours])
            peak = np.max([hour.samples for hour in per_hour], axis=0)
            drawn[Name.PEAK_HOUR] = Drawn(max(hour.value for hour in per_hour), peak)
        if self.events is not None:
            drawn |= zip(LEADS, self.draws.quantiles(*specs.leads, QUARTILES), strict=True)
        return drawn

    def _leads(self, judged: Judged, counted: Counted, events: Events) -> tuple[Numbers, NDArray[np.int64]]:
        """The lead of each event that was told of, and whose it was: a place among those who are drawn."""
        days = lead_days(judged.first_us[counted], events)
        known = events.counts & ~np.isnan(days)
        return days[known], np.searchsorted(self.followed, events.patient[known])


def _summed(parts: Sequence[Drawn]) -> Drawn:
    return Drawn(sum(part.value for part in parts), np.sum([part.samples for part in parts], axis=0))


def hours_of_day(at_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """The hour of the day in Amsterdam of each moment.

    >>> hours_of_day(np.array([1_795_332_660_000_000])).tolist()  # 2026-11-22, 07:31 UTC
    [8]
    """
    hours, places = np.unique(at_us // HOUR_US, return_inverse=True)
    of_day = [datetime.fromtimestamp(hour * 3_600, UTC).astimezone(AMSTERDAM).hour for hour in hours.tolist()]
    return np.array(of_day, np.int64)[places]

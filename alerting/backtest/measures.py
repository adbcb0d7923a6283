"""The figures of a backtest: what was found in time, what it cost, and how sure that is."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from alerting.backtest.alerts import SIGNALS
from alerting.backtest.bootstrap import Drawn, Draws, Figure, Numbers, Ratio, Sheet
from alerting.backtest.events import Events, Why
from alerting.backtest.found import NEVER_US, Followed, FoundRule
from alerting.backtest.judged import Counted, Judged, judge, lead_days, rules_alone
from alerting.backtest.result import Held
from alerting.engine.local_days import AMSTERDAM
from alerting.escalation.policy import Policies
from models.clock import HOUR_US
from models.findings import Signal

SECONDS_A_DAY = 86_400
DAYS_A_YEAR = 365
PER_PATIENTS = 1_000
"""Load by the hour is told for so many patients who are followed."""
SHIFTS: Mapping[str, range] = {"day": range(8, 16), "evening": range(16, 24), "night": range(8)}
"""The shifts of nurses, by the hours of Amsterdam."""
QUARTILES = (0.25, 0.5, 0.75)

Counts = NDArray[np.int64]


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

Figures = Mapping[Name, Figure]


@dataclass(frozen=True, slots=True)
class EventCounts:
    """What there was to find. `explaining`: labels that can neither be found nor missed."""

    counted: int
    detectable: int
    admitted: int
    explaining: int
    strangers: int
    by_kind: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Measures:
    """Figures of the alerts that are counted, with the numbers behind them. **Shape**: `by_hour` [24].

    `by_hour`: alerts per hour of the day in Amsterdam for PER_PATIENTS patients; `busiest_hour`: the most
    within one hour of one day, of all who were followed.
    """

    figures: Figures
    alerts: int
    false_alerts: int | None
    found: int | None
    by_hour: Sequence[float]
    busiest_hour: int
    by_signal: Mapping[Signal, Figure]
    by_kind: Mapping[str, Figure]
    leads: Sequence[float]


@dataclass(frozen=True, slots=True)
class RuleMeasures:
    """One rule as if it were the only one."""

    rule: FoundRule
    findings: int
    figures: Mapping[Counted, Figures]


@dataclass(frozen=True, slots=True)
class VersionMeasures:
    """A version as a whole, its rules, and how it differs from the first version."""

    name: str
    of: Mapping[Counted, Measures]
    rules: Sequence[RuleMeasures]
    beyond_first: Mapping[Counted, Figures]


@dataclass(frozen=True, slots=True)
class Measured:
    """All of it. `events` is None where nothing is known of what happened: then there is load only."""

    patients: int
    patient_days: float
    readings: int
    seed: int
    draws: int
    events: EventCounts | None
    versions: Sequence[VersionMeasures]


@dataclass(frozen=True, slots=True)
class Specs:
    """Which columns make which figures of one version or rule."""

    ratios: Mapping[Name, Ratio]
    by_signal: Mapping[Signal, Ratio]
    by_kind: Mapping[str, Ratio]
    hours: Sequence[int]


class Counter:
    """Counts for everybody, and draws; one for all versions, so that all are counted among the same draws."""

    def __init__(self, followed: Followed, events: Events | None, draws: Draws) -> None:
        self.patients = len(followed.patients)
        self.events = events
        self.draws = draws
        self.sheet = Sheet(draws)
        self.seconds = self.sheet.add(np.maximum(followed.until_us - followed.from_us, 0) // 1_000_000)
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
        return self.sheet.add(np.bincount(patient[which], minlength=self.patients).astype(np.int64))

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
        if self.events is not None:
            ratios |= self._of_events(judged, counted, self.events)
            if whole:
                by_kind = self._of_kinds(judged, counted, self.events)
        return Specs(ratios, by_signal, by_kind, hours)

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

    def figures(self, judged: Judged, counted: Counted, specs: Specs) -> Mapping[Name, Drawn]:
        """All figures of a version or rule, with every draw of each."""
        drawn = {name: self.sheet.drawn(ratio) for name, ratio in specs.ratios.items()}
        if specs.hours:
            per_hour = [self.sheet.drawn(self.per_days(column, PER_PATIENTS)) for column in specs.hours]
            for shift, hours in SHIFTS.items():
                drawn[OF_SHIFTS[shift]] = _summed([per_hour[hour] for hour in hours])
            peak = np.max([hour.samples for hour in per_hour], axis=0)
            drawn[Name.PEAK_HOUR] = Drawn(max(hour.value for hour in per_hour), peak)
        if self.events is not None:
            days, patient = self.leads(judged, counted, self.events)
            drawn |= zip(LEADS, self.draws.quantiles(days, patient, QUARTILES), strict=True)
        return drawn

    @staticmethod
    def leads(judged: Judged, counted: Counted, events: Events) -> tuple[Numbers, NDArray[np.int32]]:
        """The lead of each event that was told of, and whose it was."""
        days = lead_days(judged.first_us[counted], events)
        known = events.counts & ~np.isnan(days)
        return days[known], events.patient[known]


def measure(
    versions: Sequence[Judged],
    followed: Followed,
    events: Events | None,
    *,
    policies: Policies | None = None,
    held: Held | None = None,
    with_rules: int | None = None,
    seed: int = 1,
    draws: int = 2_000,
    tell: Callable[[str], None] | None = None,
) -> Measured:
    """Measures versions on the same patients, the rules of the first `with_rules` as well (None: of all).

    Differences are those to the first version. `policies` and `held` as for `judge`.
    """
    counter = Counter(followed, events, Draws(len(followed.patients), seed=seed, draws=draws))
    measured: list[VersionMeasures] = []
    first: dict[Counted, Mapping[Name, Drawn]] = {}
    for place, judged in enumerate(versions):
        if tell is not None:
            tell(f"measuring {judged.name}")
        of: dict[Counted, Measures] = {}
        beyond: dict[Counted, Figures] = {}
        for counted in Counted:
            specs = counter.columns(judged, counted, whole=True)
            drawn = counter.figures(judged, counted, specs)
            of[counted] = _measures(counter, judged, counted, specs, drawn)
            before = first.setdefault(counted, drawn)
            beyond[counted] = _figures((name, drawn[name].minus(before[name])) for name in drawn)
        ruled = with_rules is None or place < with_rules
        rules = _rules(counter, judged, policies, held) if ruled else ()
        measured.append(VersionMeasures(judged.name, of, rules, beyond))
    return Measured(
        patients=len(followed.patients),
        patient_days=float(followed.days.sum()),
        readings=int(followed.readings.sum()),
        seed=seed,
        draws=draws,
        events=None if events is None else _event_counts(events),
        versions=measured,
    )


def _rules(
    counter: Counter, judged: Judged, policies: Policies | None, held: Held | None
) -> Sequence[RuleMeasures]:
    rules: list[RuleMeasures] = []
    for place, found in rules_alone(judged.found):
        rule = judged.found.rules[place]
        alone = judge(rule.rule, found, counter.events, policies, held)
        figures = {
            counted: _figures(
                counter.figures(alone, counted, counter.columns(alone, counted, whole=False)).items()
            )
            for counted in Counted
        }
        rules.append(RuleMeasures(rule, len(found), figures))
    return rules


def _measures(
    counter: Counter, judged: Judged, counted: Counted, specs: Specs, drawn: Mapping[Name, Drawn]
) -> Measures:
    which = judged.counted(counted)
    leads: Sequence[float] = ()
    found = false_alerts = None
    if counter.events is not None:
        leads = sorted(counter.leads(judged, counted, counter.events)[0].tolist())
        found, false_alerts = len(leads), int(judged.is_false(counted).sum())
    moments_us = judged.moments_us(counted)[which]
    hours = np.unique(moments_us // HOUR_US, return_counts=True)[1]
    return Measures(
        figures=_figures(drawn.items()),
        alerts=int(which.sum()),
        false_alerts=false_alerts,
        found=found,
        by_hour=[counter.sheet.drawn(counter.per_days(column, PER_PATIENTS)).value for column in specs.hours],
        busiest_hour=int(hours.max(initial=0)),
        by_signal={signal: counter.sheet.drawn(ratio).figure() for signal, ratio in specs.by_signal.items()},
        by_kind={kind: counter.sheet.drawn(ratio).figure() for kind, ratio in specs.by_kind.items()},
        leads=leads,
    )


def _figures(drawn: Iterable[tuple[Name, Drawn]]) -> Figures:
    return {name: one.figure() for name, one in drawn}


def _summed(parts: Sequence[Drawn]) -> Drawn:
    return Drawn(sum(part.value for part in parts), np.sum([part.samples for part in parts], axis=0))


def _event_counts(events: Events) -> EventCounts:
    numbers = np.bincount(events.kind[events.counts], minlength=len(events.kinds)).tolist()
    return EventCounts(
        counted=int(events.counts.sum()),
        detectable=int((events.counts & events.detectable).sum()),
        admitted=int((events.counts & events.admitted).sum()),
        explaining=int((~events.counts).sum()),
        strangers=events.strangers,
        by_kind={kind: number for kind, number in zip(events.kinds, numbers, strict=True) if number},
    )


def hours_of_day(at_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """The hour of the day in Amsterdam of each moment.

    >>> hours_of_day(np.array([1_795_332_660_000_000])).tolist()  # 2026-11-22, 07:31 UTC
    [8]
    """
    hours, places = np.unique(at_us // HOUR_US, return_inverse=True)
    of_day = [datetime.fromtimestamp(hour * 3_600, UTC).astimezone(AMSTERDAM).hour for hour in hours.tolist()]
    return np.array(of_day, np.int64)[places]

"""The figures of a backtest: what was found in time, what it cost, and how sure that is."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from alerting.backtest.bootstrap import Drawn, Draws, Figure
from alerting.backtest.counting import PER_PATIENTS, Counter, Name, Specs
from alerting.backtest.events import Events
from alerting.backtest.found import Followed, FoundRule
from alerting.backtest.judged import Counted, Judged, judge, rules_alone
from alerting.backtest.result import Held
from alerting.escalation.policy import Policies
from models.clock import HOUR_US
from models.findings import Signal

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
    patients = int((followed.days > 0).sum())
    counter = Counter(followed, events, Draws(patients, seed=seed, draws=draws))
    counted: list[Counts] = []
    for place, judged in enumerate(versions):
        if tell is not None:
            tell(f"measuring {judged.name}")
        ruled = with_rules is None or place < with_rules
        rules = _of_rules(counter, judged, policies, held) if ruled else ()
        counted.append(Counts(judged, _specs(counter, judged, whole=True), rules))
    # Only now, since all that is to be drawn is drawn fastest together.
    measured: list[VersionMeasures] = []
    first: dict[Counted, Mapping[Name, Drawn]] = {}
    for counts in counted:
        drawn = {which: counter.figures(specs) for which, specs in counts.specs.items()}
        first = first or drawn
        measured.append(_version(counter, counts, drawn, first))
    return Measured(
        patients=patients,
        patient_days=float(followed.days.sum()),
        readings=int(followed.readings.sum()),
        seed=seed,
        draws=draws,
        events=None if events is None else _event_counts(events),
        versions=measured,
    )


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted of a version, and of each of its rules: the rule, its findings, its columns."""

    judged: Judged
    specs: Mapping[Counted, Specs]
    rules: Sequence[tuple[FoundRule, int, Mapping[Counted, Specs]]]


def _specs(counter: Counter, judged: Judged, *, whole: bool) -> Mapping[Counted, Specs]:
    return {counted: counter.columns(judged, counted, whole=whole) for counted in Counted}


def _of_rules(
    counter: Counter, judged: Judged, policies: Policies | None, held: Held | None
) -> Sequence[tuple[FoundRule, int, Mapping[Counted, Specs]]]:
    counted: list[tuple[FoundRule, int, Mapping[Counted, Specs]]] = []
    for place, found in rules_alone(judged.found):
        rule = judged.found.rules[place]
        alone = judge(rule.rule, found, counter.events, policies, held)
        counted.append((rule, len(found), _specs(counter, alone, whole=False)))
    return counted


def _version(
    counter: Counter,
    counts: Counts,
    drawn: Mapping[Counted, Mapping[Name, Drawn]],
    first: Mapping[Counted, Mapping[Name, Drawn]],
) -> VersionMeasures:
    return VersionMeasures(
        name=counts.judged.name,
        of={
            counted: _measures(counter, counts.judged, counted, counts.specs[counted], drawn[counted])
            for counted in Counted
        },
        rules=[
            RuleMeasures(
                rule, findings, {of: _figures(counter.figures(spec).items()) for of, spec in specs.items()}
            )
            for rule, findings, specs in counts.rules
        ],
        beyond_first={
            counted: _figures((name, one.minus(first[counted][name])) for name, one in figures.items())
            for counted, figures in drawn.items()
        },
    )


def _measures(
    counter: Counter, judged: Judged, counted: Counted, specs: Specs, drawn: Mapping[Name, Drawn]
) -> Measures:
    which = judged.counted(counted)
    leads: Sequence[float] = ()
    found = false_alerts = None
    if counter.events is not None:
        leads = sorted(specs.leads[0].tolist())
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

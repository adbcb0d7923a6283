"""Cases made ready to be drawn: what was measured, what happened, what each version told. Days, no dates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from alerting.backtest.alerts import SIGNALS
from alerting.backtest.cases import About, Case
from alerting.backtest.events import Events, Why
from alerting.backtest.found import NEVER_US, FoundRule
from alerting.backtest.judged import Counted, Judged
from alerting.backtest.result import Series
from alerting.engine.expressions import comparisons
from alerting.engine.features import FeatureName
from alerting.engine.programme import Programme
from models.clock import DAY_US
from models.findings import Severity, Signal
from models.kinds import KIND_BY_NAME

MOST_PANELS = 4
LEVELS = frozenset({FeatureName.LAST, FeatureName.MIN, FeatureName.MAX, FeatureName.MEAN, FeatureName.MEDIAN})
"""Features whose limit is a level that one can draw beside the readings."""


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """An event or other label. **Units**: days, 0 being the case's."""

    kind: str
    why: Why
    onset: float
    worst: float
    end: float
    admitted: bool


@dataclass(frozen=True, slots=True)
class ShownAlert:
    """An alert and its reasons. `told`: when people saw it. **Units**: days, 0 being the case's."""

    signal: Signal
    severity: Severity
    opened: float
    closed: float | None
    told: float | None
    manual: bool
    rules: Sequence[FoundRule]


@dataclass(frozen=True, slots=True)
class Panel:
    """The readings of one kind, and the levels at which rules speak. **Units**: days; values in `unit`."""

    kind: str
    unit: str
    days: Sequence[float]
    values: Sequence[float]
    levels: Sequence[float]


@dataclass(frozen=True, slots=True)
class Example:
    """One case; `number` is all that is said of whose it is. `alerts` has a list for each version."""

    number: int
    about: About
    case: Case
    begin: float
    end: float
    events: Sequence[ShownEvent]
    alerts: Sequence[Sequence[ShownAlert]]
    panels: Sequence[Panel]


def example(
    number: int,
    case: Case,
    versions: Sequence[Judged],
    events: Events | None,
    series: Series | None,
    programmes: Sequence[Programme],
) -> Example:
    """All that is drawn of a case. `programmes`: those of all versions, for which kinds the rules look at."""
    return Example(
        number=number,
        about=case.about,
        case=case,
        begin=_days(case, case.from_us),
        end=_days(case, case.until_us),
        events=[] if events is None else _events(case, events),
        alerts=[_alerts(case, judged) for judged in versions],
        panels=[] if series is None else _panels(case, series, looked_at(case.signals, programmes)),
    )


def looked_at(signals: Sequence[Signal], programmes: Sequence[Programme]) -> Mapping[str, set[float]]:
    """The kinds that rules about some signals look at, the most used first, and levels of limits."""
    levels: dict[str, set[float]] = {}
    uses: dict[str, int] = {}
    for programme in programmes:
        for rule in programme.rules.values():
            if rule.signal not in signals:
                continue
            compared = list(comparisons(rule.when))
            for comparison in compared:
                for kind in programme.subject_kinds(comparison.feature):
                    uses[kind] = uses.get(kind, 0) + 1
                    of_kind = levels.setdefault(kind, set())
                    limit = programme.limits[comparison.limit]
                    unit = KIND_BY_NAME[kind].unit if kind in KIND_BY_NAME else None
                    # Of several comparisons none says alone when the rule speaks.
                    if len(compared) == 1 and comparison.feature.name in LEVELS and limit.unit == unit:
                        of_kind.add(limit.default)
    ordered = sorted(levels, key=lambda kind: (-uses[kind], kind))
    return {kind: levels[kind] for kind in ordered}


def _days(case: Case, at_us: int) -> float:
    return round((at_us - case.zero_us) / DAY_US, 3)


def _events(case: Case, events: Events) -> list[ShownEvent]:
    mine = events.patient == case.patient
    within = mine & (events.onset_us <= case.until_us) & (events.end_us >= case.from_us)
    return [
        ShownEvent(
            kind=events.kinds[int(events.kind[place])],
            why=Why(int(events.why[place])),
            onset=_days(case, int(events.onset_us[place])),
            worst=_days(case, int(events.worst_us[place])),
            end=_days(case, int(events.end_us[place])),
            admitted=bool(events.admitted[place]),
        )
        for place in np.flatnonzero(within).tolist()
    ]


def _alerts(case: Case, judged: Judged) -> list[ShownAlert]:
    alerts, found = judged.alerts, judged.found
    about = np.isin(alerts.signal, [SIGNALS.index(signal) for signal in case.signals])
    mine = (alerts.patient == case.patient) & about
    within = mine & (alerts.opened_at_us <= case.until_us) & (alerts.closed_at_us >= case.from_us)
    manual = judged.counted(Counted.MANUAL)
    shown: list[ShownAlert] = []
    for place in np.flatnonzero(within).tolist():
        reasons = alerts.reason_found[alerts.reason_alert == place]
        rules: list[int] = np.unique(found.rule[reasons]).tolist()
        closed_us, told_us = int(alerts.closed_at_us[place]), int(alerts.shown_at_us[place])
        shown.append(
            ShownAlert(
                signal=SIGNALS[int(alerts.signal[place])],
                severity=tuple(Severity)[int(alerts.severity[place])],
                opened=_days(case, int(alerts.opened_at_us[place])),
                closed=None if closed_us == NEVER_US else _days(case, closed_us),
                told=None if told_us == NEVER_US else _days(case, told_us),
                manual=bool(manual[place]),
                rules=[found.rules[rule] for rule in rules],
            )
        )
    return shown


def _panels(case: Case, series: Series, levels: Mapping[str, set[float]]) -> list[Panel]:
    within = (series.taken_at_us >= case.from_us) & (series.taken_at_us <= case.until_us)
    known = within & ~np.isnan(series.value)
    kinds = np.array(series.kind, dtype=np.str_)
    panels: list[Panel] = []
    for kind, of_kind in levels.items():
        places = np.flatnonzero(known & (kinds == kind)) if len(kinds) else np.zeros(0, np.int64)
        if len(places) and len(panels) < MOST_PANELS:
            panels.append(
                Panel(
                    kind=kind,
                    unit=series.unit[int(places[0])],
                    days=[_days(case, at_us) for at_us in series.taken_at_us[places].tolist()],
                    values=[float(value) for value in series.value[places].tolist()],
                    levels=sorted(of_kind),
                )
            )
    return panels

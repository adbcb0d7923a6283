"""What the nurses saw beside what they would have seen of candidates: alerts of both, paired; pure."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from alerting.backtest.alerts import SIGNALS, Alerts, as_alerts
from alerting.backtest.found import NEVER_US, Followed, Found, FoundRule
from alerting.backtest.result import Held
from alerting.escalation.policy import Policies
from models.clock import DAY_US
from models.db.shadow_findings import Seen
from models.findings import Severity, Signal

EXAMPLES = 5

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Example:
    """An alert that only one of the two raised. **Units**: microseconds since 1970 UTC; None: it lasts."""

    patient: str
    signal: Signal
    severity: Severity
    opened_at_us: int
    closed_at_us: int | None
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """So many alerts, of so many patients; those that people had to deal with apart."""

    alerts: int
    manual: int
    patients: int


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two. `only`: what the other has nothing of at that time; `by_rule`: it is a reason of."""

    all: Count
    only: Count
    by_rule: Mapping[str, Count]
    only_by_rule: Mapping[str, Count]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides of one stretch of time. **Units**: `from_us`, `until_us` microseconds since 1970 UTC."""

    from_us: int
    until_us: int
    patients: int
    patient_days: float
    live: Side
    candidate: Side

    @property
    def days(self) -> float:
        """How long it is."""
        return (self.until_us - self.from_us) / DAY_US


def compare(
    followed: Followed,
    held: Held,
    live: Sequence[Seen],
    tried: Sequence[Seen],
    *,
    replaced: Iterable[str],
    from_us: int,
    until_us: int,
    policies: Policies,
) -> Comparison:
    """Alerts that opened in [from, until) while their patients were followed.

    The candidates' are made of what they found and of what all other programmes in use found: an alert about
    breathing that another programme raises as well is there either way. `replaced`: the programmes whose
    place the candidates take.
    """
    gone = set(replaced)
    others = [seen for seen in live if seen.programme not in gone]
    sides: list[tuple[Found, Alerts, Flags]] = []
    for seen in (live, [*others, *tried]):
        found = columns(seen, followed, until_us)
        alerts = as_alerts(found, policies, held)
        sides.append((found, alerts, _within(alerts, followed, from_us, until_us)))
    (a, b) = sides
    return Comparison(
        from_us=from_us,
        until_us=until_us,
        patients=len(followed.patients),
        patient_days=float(followed.days.sum()),
        live=_side(*a, ~_met(a[1], b[1]), followed),
        candidate=_side(*b, ~_met(b[1], a[1]), followed),
    )


def columns(seen: Iterable[Seen], followed: Followed, until_us: int) -> Found:
    """Findings of those who are followed, as they stood at a moment."""
    rows = {UUID(text): row for row, text in enumerate(followed.patients)}
    own = [one for one in seen if one.patient_id in rows]
    own.sort(key=lambda one: (rows[one.patient_id], one.opened_at_us, one.programme, one.rule))
    rules = sorted({(one.programme, one.version, one.rule, one.signal) for one in own})
    places = {rule: place for place, rule in enumerate(rules)}
    cleared_us = [NEVER_US if one.cleared_at_us is None else one.cleared_at_us for one in own]
    return Found(
        rules=[FoundRule(*rule) for rule in rules],
        patient=np.array([rows[one.patient_id] for one in own], np.int32),
        rule=np.array([places[one.programme, one.version, one.rule, one.signal] for one in own], np.int16),
        severity=np.array([one.severity.rank for one in own], np.int8),
        opened_at_us=np.array([one.opened_at_us for one in own], np.int64),
        cleared_at_us=np.array([NEVER_US if at_us >= until_us else at_us for at_us in cleared_us], np.int64),
        quiet=np.array([one.quiet for one in own], np.bool_),
    )


def _within(alerts: Alerts, followed: Followed, from_us: int, until_us: int) -> Flags:
    """Which opened in the stretch, while their patient was followed."""
    opened_us = alerts.opened_at_us
    begins_us = np.maximum(followed.from_us[alerts.patient], from_us)
    ends_us = np.minimum(followed.until_us[alerts.patient], until_us)
    return (opened_us >= begins_us) & (opened_us < ends_us)


def _met(alerts: Alerts, others: Alerts) -> Flags:
    """Which have one among others of the same patient and signal that was open at some time of theirs."""
    of_key: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for patient, signal, opened_us, closed_us in _rows(others):
        of_key.setdefault((patient, signal), []).append((opened_us, closed_us))
    met = np.zeros(len(alerts), np.bool_)
    for row, (patient, signal, opened_us, closed_us) in enumerate(_rows(alerts)):
        # They do not overlap each other and are in order: the last that opened in time closed last.
        there = of_key.get((patient, signal), [])
        place = bisect_right(there, (closed_us, NEVER_US))
        met[row] = place > 0 and there[place - 1][1] >= opened_us
    return met


def _rows(alerts: Alerts) -> Iterable[tuple[int, int, int, int]]:
    lists = (alerts.patient, alerts.signal, alerts.opened_at_us, alerts.closed_at_us)
    return zip(*(column.tolist() for column in lists), strict=True)


def _side(found: Found, alerts: Alerts, within: Flags, alone: Flags, followed: Followed) -> Side:
    rules = _rules_of(found, alerts)
    only = within & alone
    shown = np.flatnonzero(only & alerts.manual).tolist()
    shown.sort(key=lambda row: (-alerts.severity[row], alerts.opened_at_us[row], alerts.patient[row]))
    return Side(
        all=_count(alerts, within),
        only=_count(alerts, only),
        by_rule=_by_rule(alerts, within, rules),
        only_by_rule=_by_rule(alerts, only, rules),
        examples=tuple(_example(alerts, row, rules[row], followed) for row in shown[:EXAMPLES]),
    )


def _count(alerts: Alerts, which: Flags) -> Count:
    return Count(int(which.sum()), int((which & alerts.manual).sum()), len(np.unique(alerts.patient[which])))


def _rules_of(found: Found, alerts: Alerts) -> list[tuple[str, ...]]:
    """The rules that are reasons of each alert, the first to speak first."""
    rules: list[dict[str, None]] = [{} for _ in range(len(alerts))]
    for alert, place in zip(alerts.reason_alert.tolist(), alerts.reason_found.tolist(), strict=True):
        rule = found.rules[int(found.rule[place])]
        rules[alert][f"{rule.programme}/{rule.rule}"] = None
    return [tuple(names) for names in rules]


def _by_rule(alerts: Alerts, which: Flags, rules: Sequence[tuple[str, ...]]) -> dict[str, Count]:
    number, manual = Counter[str](), Counter[str]()
    patients: dict[str, set[int]] = {}
    dealt_with = alerts.manual
    for row in np.flatnonzero(which).tolist():
        for rule in rules[row]:
            number[rule] += 1
            manual[rule] += bool(dealt_with[row])
            patients.setdefault(rule, set()).add(int(alerts.patient[row]))
    return {rule: Count(number[rule], manual[rule], len(patients[rule])) for rule in sorted(number)}


def _example(alerts: Alerts, row: int, rules: tuple[str, ...], followed: Followed) -> Example:
    closed_us = int(alerts.closed_at_us[row])
    return Example(
        patient=followed.patients[int(alerts.patient[row])],
        signal=SIGNALS[int(alerts.signal[row])],
        severity=tuple(Severity)[int(alerts.severity[row])],
        opened_at_us=int(alerts.opened_at_us[row]),
        closed_at_us=None if closed_us == NEVER_US else closed_us,
        rules=rules,
    )

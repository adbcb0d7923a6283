"""Would-be alerts are those of the real lifecycle, with people who close what is over."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from uuid import UUID

import numpy as np
from hypothesis import given, settings

from alerting.backtest.alerts import SIGNALS, as_alerts
from alerting.backtest.found import NEVER_US, Found
from alerting.backtest.result import Held
from alerting.circumstances import Circumstances, Turn, circumstances_at
from alerting.escalation.choice import closing_by, first_wait_us, policy_of
from alerting.escalation.policy_files import load_policies
from alerting.escalation.situation import Reason
from alerting.findings import FindingChange
from alerting.lifecycle import Book, follow
from models.alerts import Alert, AlertState, Outcome
from models.clock import HOUR_US
from models.findings import Finding, Severity, finding_id
from models.messages import Origin
from tests.unit.backtest.random_findings import PATIENTS, absences, findings, found_of, held_of

POLICIES = load_policies()
PATIENT, ORGANISATION = UUID(int=1), UUID(int=2)

Seen = tuple[int, int, int, int, int, int, bool, tuple[int, ...]]
"""Patient, signal, severity, opened, closed, shown, by itself, its reasons."""


def seen_of(found: Found, held: Held) -> list[Seen]:
    alerts = as_alerts(found, POLICIES, held)
    reasons: dict[int, list[int]] = {}
    for alert, place in zip(alerts.reason_alert.tolist(), alerts.reason_found.tolist(), strict=True):
        reasons.setdefault(alert, []).append(place)
    columns = (
        alerts.patient, alerts.signal, alerts.severity, alerts.opened_at_us, alerts.closed_at_us,
        alerts.shown_at_us, alerts.by_itself,
    )  # fmt: skip
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [(*row, tuple(sorted(reasons[place]))) for place, row in enumerate(rows)]


@dataclass
class Ward:
    """The real lifecycle of one patient, and a nurse who closes what was shown and is over."""

    timeline: tuple[Turn, ...]
    findings: dict[UUID, Finding] = field(default_factory=dict[UUID, Finding])
    alerts: dict[UUID, Alert] = field(default_factory=dict[UUID, Alert])
    links: dict[UUID, UUID] = field(default_factory=dict[UUID, UUID])
    shown_us: dict[UUID, int] = field(default_factory=dict[UUID, int])
    ids: Iterator[UUID] = field(default_factory=lambda: (UUID(int=number) for number in count(100)))
    since_us: int = 0

    def step(self, at_us: int, changes: list[FindingChange]) -> None:
        for key, alert in self.alerts.items():
            if alert.state is AlertState.OPEN:
                self.alerts[key] = replace(alert, sent=self.is_told(alert, at_us))
        book = Book(
            PATIENT, ORGANISATION, Origin.SIMULATED, self.timeline, self.findings, self.alerts, self.links,
            may_close=closing_by(POLICIES),
        )  # fmt: skip
        told = follow(book, changes, since_us=self.since_us, now_us=at_us, ids=self.ids)
        self.findings |= {change.after.finding_id: change.after for change in changes}
        self.alerts |= {alert.alert_id: alert for alert in told.alerts}
        self.links |= {joined.finding_id: joined.alert_id for joined in told.joined}
        self.since_us = at_us
        self.look(at_us)

    def look(self, at_us: int) -> None:
        for key, alert in self.alerts.items():
            if alert.state is AlertState.RESOLVED:
                continue
            if not alert.quiet and alert.held_back is None:
                self.shown_us.setdefault(key, at_us)
            if alert.cleared_at_us is not None and alert.held_back is None:
                self.alerts[key] = replace(
                    alert, state=AlertState.RESOLVED, outcome=Outcome.TRUE_NO_ACTION, resolved_at_us=at_us
                )

    def is_told(self, alert: Alert, at_us: int) -> bool:
        """Whether it may not close by itself any more: its first step is over."""
        reasons = [
            Reason(key, f.programme, f.severity, f.holds)
            for key, f in self.findings.items()
            if self.links.get(key) == alert.alert_id
        ]
        policy = policy_of(alert, reasons, POLICIES)
        due_us = self.shown_us.get(alert.alert_id, NEVER_US) + first_wait_us(policy)
        if circumstances_at(self.timeline, due_us).admitted:
            home = (t.at_us for t in self.timeline if t.at_us > due_us and not t.circumstances.admitted)
            due_us = next(home, NEVER_US)
        return due_us <= at_us

    def seen(self, patient: int, places: Mapping[UUID, int]) -> list[Seen]:
        reasons: dict[UUID, list[int]] = {}
        for key, alert in self.links.items():
            reasons.setdefault(alert, []).append(places[key])
        return [
            (
                patient,
                SIGNALS.index(alert.signal),
                alert.severity.rank,
                alert.opened_at_us,
                NEVER_US if alert.resolved_at_us is None else alert.resolved_at_us,
                self.shown_us.get(key, NEVER_US),
                alert.outcome == Outcome.BY_ITSELF,
                tuple(sorted(reasons[key])),
            )
            for key, alert in self.alerts.items()
        ]


def lived(found: Found, held: Held, patient: int) -> list[Seen]:
    """The same alerts, told by the real lifecycle, moment by moment."""
    changes: dict[int, list[FindingChange]] = {}
    places: dict[UUID, int] = {}
    for place in np.flatnonzero(found.patient == patient).tolist():
        opens, clears = changes_of(found, place)
        places[opens.after.finding_id] = place
        changes.setdefault(opens.at_us, []).append(opens)
        if clears is not None:
            changes.setdefault(clears.at_us, []).append(clears)
    ward = Ward(timeline_of(held, patient))
    moments = {*changes, *(turn.at_us for turn in ward.timeline if turn.at_us < NEVER_US)}
    for at_us in sorted(moments):
        ward.step(at_us, changes.get(at_us, []))
    return ward.seen(patient, places)


def changes_of(found: Found, place: int) -> tuple[FindingChange, FindingChange | None]:
    rule = found.rules[int(found.rule[place])]
    opened_us, cleared_us = int(found.opened_at_us[place]), int(found.cleared_at_us[place])
    opened = Finding(
        finding_id=finding_id(PATIENT, rule.programme, rule.rule, opened_us),
        patient_id=PATIENT,
        organisation_id=ORGANISATION,
        log_partition=0,
        programme=rule.programme,
        version=rule.version,
        rule=rule.rule,
        signal=rule.signal,
        severity=tuple(Severity)[int(found.severity[place])],
        opened_at_us=opened_us,
        opening=(),
        programme_hash="",
        quiet=bool(found.quiet[place]),
    )
    opens = FindingChange(None, opened, opened_us)
    if cleared_us == NEVER_US:
        return opens, None
    return opens, FindingChange(opened, replace(opened, cleared_at_us=cleared_us), cleared_us)


def timeline_of(held: Held, patient: int) -> tuple[Turn, ...]:
    rows = np.flatnonzero(held.patient == patient)
    bounds = {*held.from_us[rows].tolist(), *held.until_us[rows].tolist()}

    def away(at_us: int, *, admission: bool) -> bool:
        here = rows[held.admission[rows] == admission]
        return bool(np.any((held.from_us[here] <= at_us) & (at_us < held.until_us[here])))

    return tuple(
        Turn(at_us, Circumstances(away(at_us, admission=False), away(at_us, admission=True)))
        for at_us in sorted(bounds)
    )


@settings(max_examples=200)
@given(findings(), absences())
def test_they_are_those_of_the_real_lifecycle(found: Found, held: Held) -> None:
    expected = [seen for patient in range(PATIENTS) for seen in lived(found, held, patient)]
    assert sorted(seen_of(found, held)) == sorted(expected)


def test_what_touches_is_one_alert_and_its_severity_rises() -> None:
    (seen,) = seen_of(found_of([(0, 0, 0, 10, 20, False), (0, 1, 1, 20, 30, False)]), held_of([]))
    assert seen == (0, 0, 1, 10 * HOUR_US, 30 * HOUR_US, 10 * HOUR_US, False, (0, 1))


def test_low_ones_close_by_themselves_until_the_first_step_of_their_policy_is_over() -> None:
    """Low of heart failure: a day; low of pressure in hypertension: three days."""
    rows = [(0, 0, 0, 0, 23, False), (0, 0, 0, 100, 124, False), (0, 2, 0, 0, 71, False)]
    alerts = as_alerts(found_of(rows), POLICIES)
    assert alerts.by_itself.tolist() == [True, False, True]
    assert alerts.manual.tolist() == [False, True, False]


def test_quiet_ones_are_shown_once_a_reason_is_not() -> None:
    rows = [(0, 0, 1, 0, 50, True), (0, 1, 1, 30, 40, False), (0, 2, 1, 0, 5, True)]
    alerts = as_alerts(found_of(rows), POLICIES)
    assert alerts.shown_at_us.tolist() == [30 * HOUR_US, NEVER_US]
    assert alerts.told_at_us.tolist() == [30 * HOUR_US, 30 * HOUR_US, NEVER_US]
    assert alerts.manual.tolist() == [True, False]


def test_what_needs_a_person_waits_in_hospital_for_discharge() -> None:
    held = held_of([(0, True, 10, 60)])
    alerts = as_alerts(found_of([(0, 0, 1, 20, 30, False), (0, 2, 0, 20, 30, False)]), POLICIES, held)
    assert alerts.shown_at_us.tolist() == [60 * HOUR_US, NEVER_US]
    assert alerts.closed_at_us.tolist() == [60 * HOUR_US, 30 * HOUR_US]
    assert alerts.by_itself.tolist() == [False, True]


def test_silence_in_a_pause_is_heard_after_it_if_it_lasts() -> None:
    held = held_of([(0, False, 10, 60)])
    alerts = as_alerts(found_of([(0, 3, 1, 20, 30, False), (1, 3, 1, 20, 30, False)]), POLICIES, held)
    assert alerts.patient.tolist() == [1]
    (alone,) = seen_of(found_of([(0, 3, 1, 20, 90, False)]), held)
    assert alone[3] == 60 * HOUR_US


def test_nothing_found_is_no_alert() -> None:
    alerts = as_alerts(found_of([]), POLICIES)
    assert len(alerts) == 0
    assert len(alerts.told_at_us) == 0

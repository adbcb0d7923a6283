"""Whatever the engine says, in whatever pieces: its last word is stored, with one open alert a signal."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.circumstances import Effective, Turn, turns
from alerting.engine.verdict import Transition, What
from alerting.findings import PatientVerdict, fold
from alerting.lifecycle import Book, follow, waits
from models.alerts import Alert, AlertState
from models.findings import Finding, RuleIdentity, Severity, Signal
from models.messages import Admit, AnyChange, Discharge, End, Origin, Pause, Resume

PATIENT, ORGANISATION = UUID(int=1), UUID(int=2)
RULES = (
    RuleIdentity("heart_failure", 1, "gain_fast", Signal.FLUID, "h1", cooldown_us=5),
    RuleIdentity("heart_failure", 1, "gain_slow", Signal.FLUID, "h1"),
    RuleIdentity("hypertension", 1, "silence", Signal.SILENCE, "h2", cooldown_us=20),
)
BASE = (Severity.LOW, Severity.MEDIUM, Severity.LOW)

Truth = tuple[frozenset[int], ...]
"""For each rule the moments at which it holds: the truth that an engine with all readings would see."""

truths = st.tuples(*(st.frozensets(st.integers(1, 40), max_size=25) for _ in RULES))
Doubt = frozenset[int]
"""The moments at which a measurement is in doubt: what opens or rises then is unconfirmed."""
doubts = st.frozensets(st.integers(1, 40), max_size=20)

moments = st.integers(1, 40)
changes: st.SearchStrategy[AnyChange] = st.one_of(
    st.builds(Pause, until_us=st.none() | moments),
    st.just(Resume()),
    st.just(Admit()),
    st.just(Discharge()),
    st.just(End(reason="finished")),
)
circumstances = st.lists(st.tuples(moments, changes), max_size=6).map(
    lambda drawn: turns([Effective(at_us, place, change) for place, (at_us, change) in enumerate(drawn)])
)


def told(
    what: What,
    rule: RuleIdentity,
    severity: Severity,
    opened_us: int,
    at_us: int,
    *,
    raised: bool = False,
    unconfirmed: bool = False,
) -> Transition:
    return Transition(0, what, rule, severity, opened_us, at_us, raised, (), unconfirmed)


def transitions(truth: Truth, doubt: Doubt, after_us: int, until_us: int) -> list[Transition]:
    """What a right engine says over (after, until]: a rule opens where it starts to hold, clears where not.

    A rule's finding rises when it has held for three moments.
    """
    said: list[Transition] = []
    for at_us in range(after_us + 1, until_us + 1):
        for rule, base, holds in zip(RULES, BASE, truth, strict=True):
            opened_us = opened_at(holds, at_us if at_us in holds else at_us - 1)
            if at_us in holds and at_us - 1 not in holds:
                said.append(told(What.OPEN, rule, base, at_us, at_us, unconfirmed=at_us in doubt))
            elif at_us in holds and at_us - opened_us == 3:
                said.append(
                    told(What.RAISE, rule, Severity.HIGH, opened_us, at_us, unconfirmed=at_us in doubt)
                )
            elif at_us not in holds and at_us - 1 in holds:
                said.append(told(What.CLEAR, rule, base, opened_us, at_us))
    return said


def kept(truth: Truth, doubt: Doubt, at_us: int) -> list[Transition]:
    """The findings that are open at a moment, as a replay from there tells them."""
    said: list[Transition] = []
    for rule, base, holds in zip(RULES, BASE, truth, strict=True):
        if at_us in holds:
            opened_us = opened_at(holds, at_us)
            raised = at_us - opened_us >= 3
            severity = Severity.HIGH if raised else base
            unconfirmed = opened_us in doubt or (raised and opened_us + 3 in doubt)
            said.append(
                told(What.KEEP, rule, severity, opened_us, at_us, raised=raised, unconfirmed=unconfirmed)
            )
    return said


def opened_at(holds: frozenset[int], at_us: int) -> int:
    while at_us - 1 in holds:
        at_us -= 1
    return at_us


@dataclass
class Store:
    """Findings and alerts as the database would keep them."""

    findings: dict[UUID, Finding] = field(default_factory=dict[UUID, Finding])
    alerts: dict[UUID, Alert] = field(default_factory=dict[UUID, Alert])
    links: dict[UUID, UUID] = field(default_factory=dict[UUID, UUID])
    ids: Iterator[UUID] = field(default_factory=lambda: (UUID(int=number) for number in count(100)))
    timeline: tuple[Turn, ...] = ()
    now_us: int = 0

    def take(self, said: list[Transition], now_us: int, replayed_from_us: int | None = None) -> None:
        verdict = PatientVerdict(PATIENT, ORGANISATION, 0, tuple(said), replayed_from_us)
        folded = fold(self.findings.values(), verdict)
        assert folded.contradiction is None
        book = Book(
            PATIENT, ORGANISATION, Origin.SIMULATED, self.timeline, self.findings, self.alerts, self.links
        )
        consequences = follow(book, folded.changes, since_us=self.now_us, now_us=now_us, ids=self.ids)
        self.findings |= {change.after.finding_id: change.after for change in folded.changes}
        self.alerts |= {alert.alert_id: alert for alert in consequences.alerts}
        self.links |= {joined.finding_id: joined.alert_id for joined in consequences.joined}
        self.now_us = now_us

    def standing(self) -> set[Finding]:
        return {replace(finding, quiet=False) for finding in self.findings.values() if not finding.retracted}


@given(st.lists(st.tuples(st.integers(1, 40), truths, doubts), min_size=1, max_size=6), st.data())
def test_the_stored_findings_are_the_engines_last_word(
    steps: list[tuple[int, Truth, Doubt]], data: st.DataObject
) -> None:
    """In each step time goes on; late data, or the end of a doubt, may change the truth from a moment on."""
    store, known, in_doubt = Store(), tuple(frozenset[int]() for _ in RULES), frozenset[int]()
    now_us = 0
    for ahead_us, other, other_doubt in steps:
        from_us = data.draw(st.integers(0, now_us), label="late data changes what holds after")
        same = data.draw(st.booleans(), label="nothing came late")
        before_us = now_us if same else from_us
        truth = tuple(
            frozenset(at for at in old if at <= before_us) | frozenset(at for at in new if at > before_us)
            for old, new in zip(known, other, strict=True)
        )
        doubt = frozenset(at for at in in_doubt if at <= before_us) | frozenset(
            at for at in other_doubt if at > before_us
        )
        until_us = min(now_us + ahead_us, 40)
        if same:
            store.take(transitions(truth, doubt, now_us, until_us), until_us)
        else:
            said = kept(truth, doubt, from_us) + transitions(truth, doubt, from_us, until_us)
            store.take(said, until_us, replayed_from_us=from_us)
        known, in_doubt, now_us = truth, doubt, until_us
        check_alerts(store)
    at_once = Store()
    at_once.take(transitions(known, in_doubt, 0, now_us), now_us)
    assert store.standing() == at_once.standing()


@settings(max_examples=300)
@given(truths, doubts, st.lists(st.integers(1, 39), max_size=5, unique=True), circumstances)
def test_alerts_do_not_depend_on_how_time_is_cut(
    truth: Truth, doubt: Doubt, cuts: list[int], timeline: tuple[Turn, ...]
) -> None:
    pieces, at_once = Store(timeline=timeline), Store(timeline=timeline)
    at_once.take(transitions(truth, doubt, 0, 40), 40)
    for from_us, until_us in zip([0, *sorted(cuts)], [*sorted(cuts), 40], strict=True):
        pieces.take(transitions(truth, doubt, from_us, until_us), until_us)
    assert pieces.findings == at_once.findings
    assert pieces.links == at_once.links
    assert unversioned(pieces) == unversioned(at_once)


def unversioned(store: Store) -> list[Alert]:
    """The version counts how often an alert was written, which cutting may change."""
    return [replace(alert, version=1) for alert in store.alerts.values()]


def check_alerts(store: Store) -> None:
    unresolved = Counter(a.signal for a in store.alerts.values() if a.state is not AlertState.RESOLVED)
    assert all(number == 1 for number in unresolved.values())
    for finding in store.findings.values():
        if finding.holds and not waits(finding):
            alert = store.alerts[store.links[finding.finding_id]]
            assert alert.state is AlertState.OPEN
            assert alert.cleared_at_us is None
            assert not alert.retracted
            assert alert.severity.rank >= finding.severity.rank
    for alert in store.alerts.values():
        reasons = [store.findings[key] for key, linked in store.links.items() if linked == alert.alert_id]
        assert alert.retracted == all(finding.retracted for finding in reasons)
        assert alert.unconfirmed == any(
            finding.unconfirmed and not finding.retracted and finding.severity is Severity.HIGH
            for finding in reasons
        )

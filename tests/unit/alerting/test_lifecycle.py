from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from uuid import UUID

import pytest

from alerting.circumstances import Effective, Turn, turns
from alerting.findings import FindingChange
from alerting.lifecycle import Book, Consequences, follow
from alerting.remarks import Remark
from models.access import Role
from models.alerts import Alert, AlertEvent, AlertState, HandOver, HeldBack, Outcome
from models.escalations import Party
from models.findings import Evidence, Finding, Severity, Signal, finding_id
from models.messages import Admit, AnyChange, Discharge, End, Origin, Pause, Resume
from tests.unit.alerting.acting import promises_are_whole

PATIENT, ORGANISATION = UUID(int=1), UUID(int=2)


@dataclass
class Patient:
    """A patient's stored findings and alerts, followed step by step as the worker does."""

    timeline: tuple[Turn, ...] = ()
    findings: dict[UUID, Finding] = field(default_factory=dict[UUID, Finding])
    alerts: dict[UUID, Alert] = field(default_factory=dict[UUID, Alert])
    links: dict[UUID, UUID] = field(default_factory=dict[UUID, UUID])
    events: list[AlertEvent] = field(default_factory=list[AlertEvent])
    ids: Iterator[UUID] = field(default_factory=lambda: (UUID(int=number) for number in count(100)))
    since_us: int = 0
    because: Mapping[str, object] = field(default_factory=dict[str, object])

    def circumstances(self, *changes: tuple[int, AnyChange]) -> "Patient":
        self.timeline = turns([Effective(at_us, at_us, change) for at_us, change in changes])
        return self

    def sees(self, *changes: FindingChange, now_us: int = 0, remarks: Sequence[Remark] = ()) -> Consequences:
        book = Book(
            PATIENT,
            ORGANISATION,
            Origin.SIMULATED,
            self.timeline,
            self.findings,
            self.alerts,
            self.links,
            self.because,
        )
        consequences = follow(
            book, changes, since_us=self.since_us, now_us=now_us, ids=self.ids, remarks=remarks
        )
        self.findings |= {change.after.finding_id: change.after for change in changes}
        self.alerts |= {alert.alert_id: alert for alert in consequences.alerts}
        self.links |= {joined.finding_id: joined.alert_id for joined in consequences.joined}
        self.events += [event.event for event in consequences.events]
        self.since_us = max(self.since_us, now_us)
        return consequences

    def opens(
        self, at_us: int, rule: str = "gain", signal: Signal = Signal.FLUID, **given: object
    ) -> FindingChange:
        rule = f"{signal}_{rule}"
        finding = Finding(
            finding_id=finding_id(PATIENT, "programme", rule, at_us),
            patient_id=PATIENT,
            organisation_id=ORGANISATION,
            log_partition=0,
            programme="programme",
            version=1,
            rule=rule,
            signal=signal,
            severity=Severity.MEDIUM,
            opened_at_us=at_us,
            opening=(),
            programme_hash="hash",
        )
        return FindingChange(None, replace(finding, **given), at_us)

    def clears(self, change: FindingChange, at_us: int) -> FindingChange:
        return FindingChange(change.after, replace(change.after, cleared_at_us=at_us), at_us)

    def rises(self, change: FindingChange, at_us: int) -> FindingChange:
        risen = replace(change.after, severity=Severity.HIGH, raised_at_us=at_us)
        return FindingChange(change.after, risen, at_us)

    def retracts(self, change: FindingChange) -> FindingChange:
        return late(FindingChange(change.after, replace(change.after, retracted=True), change.at_us))

    def acknowledges(self, now_us: int, *, snoozed_until_us: int | None = None) -> None:
        """A nurse takes on all that is open."""
        for key, alert in self.alerts.items():
            if alert.state is AlertState.OPEN:
                self.alerts[key] = replace(
                    alert,
                    state=AlertState.ACKNOWLEDGED,
                    owner=UUID(int=7),
                    acknowledged_at_us=now_us,
                    resolve_by_us=now_us + 1_000,
                    snoozed_until_us=snoozed_until_us,
                    hand_over=HandOver(Role.NURSE, ORGANISATION, None, now_us + 500),
                    version=alert.version + 1,
                )

    @property
    def only(self) -> Alert:
        (alert,) = self.alerts.values()
        return alert


def late(change: FindingChange) -> FindingChange:
    return replace(change, late=True)


@pytest.fixture
def patient() -> Patient:
    return Patient()


def kinds(events: Sequence[AlertEvent]) -> list[str]:
    return [str(event) for event in events]


def test_findings_of_one_signal_share_an_alert(patient: Patient) -> None:
    patient.sees(patient.opens(10, severity=Severity.LOW))
    patient.sees(patient.opens(20, "severe", severity=Severity.HIGH))
    patient.sees(patient.opens(30, "pressure", signal=Signal.PRESSURE))
    fluid, pressure = patient.alerts.values()
    assert (fluid.signal, fluid.severity, fluid.opened_at_us) == (Signal.FLUID, Severity.HIGH, 10)
    assert (pressure.signal, pressure.version) == (Signal.PRESSURE, 1)
    assert fluid.version == 2
    assert kinds(patient.events) == ["opened", "finding_joined", "severity_raised", "opened"]


def test_a_cleared_alert_says_so_and_stays_open(patient: Patient) -> None:
    gain = patient.opens(10)
    patient.sees(gain, patient.clears(gain, 20))
    assert (patient.only.state, patient.only.cleared_at_us) == (AlertState.OPEN, 20)
    patient.sees(patient.opens(30))
    assert patient.only.cleared_at_us is None
    assert kinds(patient.events) == ["opened", "cleared", "finding_joined", "holds_again"]


def test_it_is_not_cleared_while_another_finding_holds(patient: Patient) -> None:
    gain = patient.opens(10)
    patient.sees(gain, patient.opens(15, "other"))
    patient.sees(patient.clears(gain, 20))
    assert patient.only.cleared_at_us is None


@pytest.mark.parametrize(
    ("severity", "signal"), [(Severity.LOW, Signal.FLUID), (Severity.HIGH, Signal.SILENCE)]
)
def test_low_and_technical_alerts_close_by_themselves(
    patient: Patient, severity: Severity, signal: Signal
) -> None:
    finding = patient.opens(10, severity=severity, signal=signal)
    patient.sees(finding)
    patient.sees(patient.clears(finding, 20))
    alert = patient.only
    assert (alert.state, alert.outcome, alert.resolved_at_us) == (AlertState.RESOLVED, "by_itself", 20)
    patient.sees(patient.opens(30, severity=severity, signal=signal))
    assert [alert.state for alert in patient.alerts.values()] == [AlertState.RESOLVED, AlertState.OPEN]


@pytest.mark.parametrize("taken_back", [False, True])
def test_what_somebody_has_claimed_never_closes_by_itself(patient: Patient, taken_back: bool) -> None:
    finding = patient.opens(10, severity=Severity.LOW)
    patient.sees(finding)
    patient.acknowledges(12)
    patient.sees(patient.retracts(finding) if taken_back else patient.clears(finding, 20), now_us=20)
    assert (patient.only.state, patient.only.owner) == (AlertState.ACKNOWLEDGED, UUID(int=7))
    assert (patient.only.retracted, patient.only.cleared_at_us) == (taken_back, None if taken_back else 20)


@pytest.mark.parametrize("taken_back", [False, True])
def test_what_somebody_was_told_of_never_closes_by_itself(patient: Patient, taken_back: bool) -> None:
    finding = patient.opens(10, signal=Signal.SILENCE)
    patient.sees(finding)
    patient.alerts = {key: replace(alert, sent=True) for key, alert in patient.alerts.items()}
    told = patient.sees(patient.retracts(finding) if taken_back else patient.clears(finding, 20), now_us=20)
    assert patient.only.state is AlertState.OPEN
    assert kinds([event.event for event in told.events])[-1] == "retracted" if taken_back else "cleared"


def test_one_clears_as_another_opens_and_the_alert_holds_on(patient: Patient) -> None:
    first = patient.opens(10, severity=Severity.LOW)
    patient.sees(first)
    patient.sees(patient.clears(first, 20), patient.opens(20, "other", severity=Severity.LOW))
    assert patient.only.state is AlertState.OPEN
    assert kinds(patient.events) == ["opened", "finding_joined"]


def test_a_rise_within_a_finding_raises_the_alert_and_ends_quiet(patient: Patient) -> None:
    gain = patient.opens(10, quiet=True)
    patient.sees(gain)
    assert patient.only.quiet
    patient.sees(patient.rises(gain, 20))
    assert (patient.only.severity, patient.only.quiet) == (Severity.HIGH, False)
    assert kinds(patient.events) == ["opened", "quieted", "severity_raised", "quiet_ended"]


def test_a_quiet_finding_does_not_silence_a_loud_alert(patient: Patient) -> None:
    patient.sees(patient.opens(10))
    patient.sees(patient.opens(20, quiet=True))
    assert not patient.only.quiet


def test_a_loud_finding_ends_quiet(patient: Patient) -> None:
    patient.sees(patient.opens(10, quiet=True))
    patient.sees(patient.opens(20, "other"))
    assert not patient.only.quiet


def test_late_data_that_takes_everything_back_retracts_the_alert(patient: Patient) -> None:
    gain = patient.opens(10)
    patient.sees(gain, now_us=15)
    consequences = patient.sees(patient.retracts(gain), now_us=20)
    assert (patient.only.retracted, patient.only.state) == (True, AlertState.OPEN)
    assert kinds(patient.events) == ["opened", "finding_changed", "retracted"]
    changed = consequences.events[0]
    assert (changed.from_value, changed.to_value) == ("holds", "retracted")
    assert changed.why["late"] is True
    assert changed.why["changed"] == {"retracted": [False, True]}


def test_a_finding_that_moves_keeps_its_alert(patient: Patient) -> None:
    silence = patient.opens(10, signal=Signal.SILENCE)
    patient.sees(silence, now_us=15)
    patient.sees(patient.retracts(silence), late(patient.opens(12, signal=Signal.SILENCE)), now_us=20)
    assert patient.only.state is AlertState.OPEN
    assert kinds(patient.events) == ["opened", "finding_changed", "finding_joined"]


def test_a_finding_returns_to_the_alert_that_it_had(patient: Patient) -> None:
    gain = patient.opens(10)
    patient.sees(gain, now_us=15)
    patient.sees(patient.retracts(gain), now_us=20)
    returned = FindingChange(replace(gain.after, retracted=True), gain.after, 10, late=True)
    patient.sees(returned, now_us=25)
    assert (patient.only.retracted, patient.only.cleared_at_us) == (False, None)
    assert kinds(patient.events)[-2:] == ["finding_changed", "holds_again"]


def test_an_alert_that_closed_by_itself_opens_again_with_its_finding(patient: Patient) -> None:
    low = patient.opens(10, severity=Severity.LOW)
    cleared = patient.clears(low, 20)
    patient.sees(low, cleared, now_us=20)
    patient.sees(FindingChange(cleared.after, low.after, 10, late=True), now_us=25)
    assert (patient.only.state, patient.only.outcome) == (AlertState.OPEN, None)
    assert AlertEvent.REOPENED in patient.events


def test_what_people_resolved_is_followed_by_a_new_alert(patient: Patient) -> None:
    gain = patient.opens(10)
    patient.sees(gain, now_us=15)
    first = patient.only
    resolved = replace(
        first, state=AlertState.RESOLVED, outcome="contacted", owner=UUID(int=7), resolved_at_us=15
    )
    patient.alerts[first.alert_id] = resolved
    patient.sees(now_us=20)
    assert len(patient.alerts) == 1
    patient.sees(patient.rises(gain, 30), now_us=30)
    second = list(patient.alerts.values())[1]
    assert (second.follows, second.severity) == (first.alert_id, Severity.HIGH)
    assert patient.alerts[first.alert_id] == resolved


def test_a_pause_holds_back_silence_until_it_is_over(patient: Patient) -> None:
    patient.circumstances((5, Pause()))
    patient.sees(patient.opens(10, signal=Signal.SILENCE), patient.opens(10), now_us=10)
    assert patient.only.signal is Signal.FLUID
    patient.circumstances((5, Pause()), (30, Resume()))
    patient.sees(now_us=40)
    silence = list(patient.alerts.values())[1]
    assert (silence.signal, silence.opened_at_us) == (Signal.SILENCE, 30)


def test_silence_that_comes_and_goes_within_a_pause_is_never_heard(patient: Patient) -> None:
    patient.circumstances((5, Pause(until_us=30)))
    silence = patient.opens(10, signal=Signal.SILENCE)
    patient.sees(silence, patient.clears(silence, 20), now_us=40)
    assert patient.alerts == {}


def test_admission_marks_all_alerts_and_discharge_releases_them(patient: Patient) -> None:
    patient.circumstances((20, Admit()), (40, Discharge()))
    patient.sees(patient.opens(10), now_us=10)
    assert patient.only.held_back is None
    patient.sees(patient.opens(30, signal=Signal.PRESSURE), now_us=30)
    assert [alert.held_back for alert in patient.alerts.values()] == [HeldBack.ADMISSION] * 2
    patient.sees(now_us=40)
    assert [alert.held_back for alert in patient.alerts.values()] == [None, None]
    assert kinds(patient.events) == [
        *("opened", "held_back", "opened", "held_back"),
        *("released", "released"),
    ]


def test_the_end_resolves_everything_also_what_was_claimed(patient: Patient) -> None:
    patient.sees(patient.opens(10), patient.opens(10, signal=Signal.PRESSURE), now_us=10)
    patient.acknowledges(12, snoozed_until_us=500)
    patient.circumstances((20, End(reason="died")))
    patient.sees(now_us=25)
    for alert in patient.alerts.values():
        assert (alert.outcome, alert.resolved_at_us, alert.owner) == (Outcome.ENDED, 20, UUID(int=7))
        promises_are_whole(alert)
    patient.sees(late(patient.opens(15, "other")), now_us=30)
    assert len(patient.alerts) == 2


def test_a_new_alert_is_of_its_own_nurses(patient: Patient) -> None:
    patient.sees(patient.opens(10))
    assert patient.only.responsible == Party(Role.NURSE, ORGANISATION)
    assert (patient.only.owner, patient.only.step_no, patient.only.sent) == (None, 0, False)


@pytest.mark.parametrize("snoozed_until_us", [None, 800])
def test_worse_or_another_reason_ends_a_promise(patient: Patient, snoozed_until_us: int | None) -> None:
    gain = patient.opens(10, severity=Severity.LOW)
    patient.sees(gain, now_us=10)
    patient.acknowledges(12, snoozed_until_us=snoozed_until_us)
    risen = patient.sees(patient.rises(gain, 20), now_us=20)
    assert kinds([e.event for e in risen.events]) == ["severity_raised", "lapsed"]
    assert risen.events[-1].why == {
        "because": "severity_raised",
        "finding_id": str(gain.after.finding_id),
        "owner": str(UUID(int=7)),
    }
    promises_are_whole(patient.only)
    assert (patient.only.state, patient.only.severity) == (AlertState.OPEN, Severity.HIGH)
    assert patient.only.version == 3
    patient.acknowledges(25, snoozed_until_us=snoozed_until_us)
    joined = patient.sees(patient.opens(30, "other", severity=Severity.LOW), now_us=30)
    assert kinds([e.event for e in joined.events]) == ["finding_joined", "lapsed"]
    assert joined.events[-1].why["because"] == "finding_joined"
    promises_are_whole(patient.only)
    assert patient.only.version == 5


def test_what_is_no_worse_leaves_the_promise(patient: Patient) -> None:
    gain = patient.opens(10)
    patient.sees(gain, now_us=10)
    patient.acknowledges(12, snoozed_until_us=500)
    before = patient.only
    patient.sees(patient.clears(gain, 20), now_us=20)
    assert patient.only == replace(before, cleared_at_us=20, version=before.version + 1)


def test_a_finding_that_late_data_moves_is_no_new_reason(patient: Patient) -> None:
    silence = patient.opens(10, signal=Signal.SILENCE)
    patient.sees(silence, now_us=15)
    patient.acknowledges(16)
    patient.sees(patient.retracts(silence), late(patient.opens(12, signal=Signal.SILENCE)), now_us=20)
    assert patient.only.state is AlertState.ACKNOWLEDGED
    patient.sees(late(patient.opens(13, "other", signal=Signal.SILENCE)), now_us=25)
    assert patient.only.state is AlertState.OPEN


def test_whatever_is_told_of_an_alert_makes_another_version_of_it(patient: Patient) -> None:
    gain = patient.opens(10)
    patient.sees(gain, now_us=15)
    joined = patient.sees(patient.opens(16, "other"), now_us=16)
    assert [alert.version for alert in joined.alerts] == [2]
    shorter = FindingChange(gain.after, replace(gain.after, cleared_at_us=12), 10, late=True)
    assert [alert.version for alert in patient.sees(shorter, now_us=20).alerts] == [3]


def test_what_opens_again_begins_at_the_foot_of_the_ladder(patient: Patient) -> None:
    low = patient.opens(10, severity=Severity.LOW)
    cleared = patient.clears(low, 20)
    patient.sees(low, now_us=10)
    patient.alerts = {
        key: replace(alert, step_no=2, stepped_at_us=15) for key, alert in patient.alerts.items()
    }
    patient.sees(cleared, now_us=20)
    assert patient.only.state is AlertState.RESOLVED
    patient.sees(FindingChange(cleared.after, low.after, 10, late=True), now_us=25)
    assert (patient.only.state, patient.only.step_no, patient.only.stepped_at_us) == (
        AlertState.OPEN,
        0,
        None,
    )


def remark(number: int, received_us: int) -> Remark:
    return Remark(UUID(int=number), "symptom_cough", received_us - 5, received_us)


def test_what_a_patient_writes_waits_for_a_person(patient: Patient) -> None:
    told = patient.sees(remarks=[remark(1, 20)], now_us=30)
    alert = patient.only
    assert (alert.signal, alert.severity, alert.opened_at_us) == (Signal.REMARK, Severity.LOW, 20)
    assert [(e.event, e.happened_at_us) for e in told.events] == [(AlertEvent.OPENED, 20)]
    assert told.events[0].why == {
        "kind": "symptom_cough",
        "taken_at_us": 15,
        "remark_id": str(UUID(int=1)),
    }
    gain = patient.opens(40, severity=Severity.LOW)
    patient.sees(gain, patient.clears(gain, 50), now_us=60)
    assert patient.alerts[alert.alert_id] == alert


def test_more_of_it_joins_and_whoever_has_it_has_not_read_that(patient: Patient) -> None:
    patient.sees(remarks=[remark(1, 20)], now_us=30)
    patient.acknowledges(31, snoozed_until_us=500)
    told = patient.sees(remarks=[remark(2, 40), remark(3, 45)], now_us=50)
    assert [(str(e.event), e.happened_at_us) for e in told.events] == [
        ("remarked", 40),
        ("lapsed", 40),
        ("remarked", 45),
    ]
    assert told.events[1].why["because"] == "remarked"
    assert (patient.only.state, patient.only.version) == (AlertState.OPEN, 3)
    promises_are_whole(patient.only)


def test_once_resolved_the_next_one_opens_another(patient: Patient) -> None:
    patient.sees(remarks=[remark(1, 20)], now_us=30)
    done = replace(patient.only, state=AlertState.RESOLVED, outcome="expected", resolved_at_us=31)
    patient.alerts[done.alert_id] = done
    patient.sees(remarks=[remark(2, 40)], now_us=50)
    assert [alert.state for alert in patient.alerts.values()] == [AlertState.RESOLVED, AlertState.OPEN]


def test_remarks_in_hospital_in_a_pause_and_after_the_end(patient: Patient) -> None:
    patient.circumstances((5, Pause()), (10, Admit()), (40, Discharge()), (60, End(reason="moved")))
    patient.sees(remarks=[remark(1, 20)], now_us=20)
    assert patient.only.held_back is HeldBack.ADMISSION
    patient.sees(now_us=45)
    assert patient.only.held_back is None
    patient.sees(remarks=[remark(2, 55), remark(3, 65)], now_us=70)
    assert (patient.only.state, patient.only.outcome) == (AlertState.RESOLVED, Outcome.ENDED)
    assert kinds(patient.events) == ["opened", "held_back", "released", "remarked", "resolved"]


@pytest.mark.parametrize("cut_us", [None, 10, 25, 31, 39])
def test_remarks_do_not_depend_on_how_the_log_is_cut(patient: Patient, cut_us: int | None) -> None:
    """Received in another order than written, from before the clock, about the end of follow-up."""
    said = [remark(1, 30), remark(2, 20), remark(3, 40), remark(4, 61)]
    patient.circumstances((60, End(reason="moved")))
    if cut_us is not None:
        patient.sees(remarks=said[:2], now_us=cut_us)
    patient.sees(remarks=said if cut_us is None else said[2:], now_us=80)
    assert (patient.only.opened_at_us, patient.only.outcome) == (30, Outcome.ENDED)
    assert kinds(patient.events).count("remarked") == 2


def confirmed(change: FindingChange, **given: object) -> FindingChange:
    """The doubt is over: the patient was evaluated again, as if there had never been one."""
    return late(FindingChange(change.after, replace(change.after, unconfirmed=False, **given), change.at_us))


def test_in_doubt_and_not_severe_nobody_sees_it_until_the_doubt_is_over(patient: Patient) -> None:
    gain = patient.opens(10, unconfirmed=True)
    patient.sees(gain, now_us=12)
    patient.sees(now_us=14)
    assert (patient.alerts, patient.events) == ({}, [])
    patient.sees(confirmed(gain), now_us=20)
    assert (patient.only.opened_at_us, patient.only.unconfirmed) == (10, False)
    assert kinds(patient.events) == ["opened"]


def test_what_was_in_doubt_and_taken_back_was_never_seen(patient: Patient) -> None:
    gain = patient.opens(10, unconfirmed=True)
    patient.sees(gain, now_us=12)
    patient.sees(patient.retracts(gain), now_us=20)
    assert (patient.alerts, patient.events) == ({}, [])


def test_severe_and_in_doubt_is_seen_at_once_and_says_so(patient: Patient) -> None:
    gain = patient.opens(10, severity=Severity.HIGH, unconfirmed=True)
    patient.sees(gain, now_us=12)
    assert patient.only.unconfirmed
    patient.sees(confirmed(gain), now_us=20)
    assert not patient.only.unconfirmed
    assert kinds(patient.events) == ["opened", "unconfirmed", "finding_changed", "confirmed"]


def test_severe_in_doubt_and_taken_back_is_retracted(patient: Patient) -> None:
    gain = patient.opens(10, severity=Severity.HIGH, unconfirmed=True)
    patient.sees(gain, now_us=12)
    patient.sees(patient.retracts(gain), now_us=20)
    assert (patient.only.retracted, patient.only.unconfirmed) == (True, False)
    assert kinds(patient.events) == ["opened", "unconfirmed", "finding_changed", "retracted"]


def test_a_rise_in_doubt_waits_and_raises_the_alert_when_the_doubt_is_over(patient: Patient) -> None:
    low = patient.opens(10, severity=Severity.LOW)
    patient.sees(low, now_us=12)
    risen = replace(low.after, severity=Severity.MEDIUM, raised_at_us=13, unconfirmed=True)
    rise = FindingChange(low.after, risen, 13)
    patient.sees(rise, now_us=14)
    assert (patient.only.severity, patient.only.unconfirmed) == (Severity.LOW, False)
    consequences = patient.sees(confirmed(rise), now_us=20)
    assert (patient.only.severity, patient.only.unconfirmed) == (Severity.MEDIUM, False)
    assert kinds(patient.events) == ["opened", "finding_changed", "severity_raised"]
    assert consequences.events[0].why["changed"] == {"unconfirmed": [True, False]}


def test_a_rise_in_doubt_comes_after_people_were_done_and_is_seen_when_the_doubt_is_over(
    patient: Patient,
) -> None:
    low = patient.opens(10, severity=Severity.LOW)
    patient.sees(low, now_us=12)
    done = replace(patient.only, state=AlertState.RESOLVED, outcome="called", resolved_at_us=12)
    patient.alerts[done.alert_id] = done
    risen = replace(low.after, severity=Severity.MEDIUM, raised_at_us=13, unconfirmed=True)
    rise = FindingChange(low.after, risen, 13)
    patient.sees(rise, now_us=14)
    assert list(patient.alerts.values()) == [done]
    patient.sees(confirmed(rise), now_us=20)
    assert [alert.follows for alert in patient.alerts.values()] == [None, done.alert_id]


def test_a_severe_rise_in_doubt_that_was_none_leaves_the_alert_without_the_doubt(patient: Patient) -> None:
    gain = patient.opens(10)
    patient.sees(gain, now_us=12)
    risen = replace(gain.after, severity=Severity.HIGH, raised_at_us=13, unconfirmed=True)
    rise = FindingChange(gain.after, risen, 13)
    patient.sees(rise, now_us=14)
    assert (patient.only.severity, patient.only.unconfirmed) == (Severity.HIGH, True)
    patient.sees(confirmed(rise, severity=Severity.MEDIUM, raised_at_us=None), now_us=20)
    assert not patient.only.unconfirmed
    assert kinds(patient.events) == ["opened", "severity_raised", "unconfirmed", "finding_changed"]


def test_what_late_data_changed_and_why_is_said(patient: Patient) -> None:
    before = Evidence("rise(body_weight, days=3)", 2.4, "kg", "gain_3d", 2.0)
    gain = patient.opens(10, opening=(before,))
    patient.sees(gain, now_us=15)
    patient.because = {"readings": 1, "kinds": ["body_weight"], "taken_from_us": 8, "taken_until_us": 8}
    shorter = replace(gain.after, cleared_at_us=12, opening=(replace(before, value=3.1),))
    told = patient.sees(late(FindingChange(gain.after, shorter, 10)), now_us=20)
    changed = told.events[0]
    assert (changed.event, changed.from_value, changed.to_value) == ("finding_changed", "holds", "cleared")
    assert changed.why["because"] == patient.because
    assert changed.why["changed"] == {
        "cleared_at_us": [None, 12],
        "opening": [[[before.feature, 2.4, "kg"]], [[before.feature, 3.1, "kg"]]],
    }


def test_a_late_reading_that_changes_nothing_worth_saying_says_nothing(patient: Patient) -> None:
    gain = patient.opens(10)
    patient.sees(gain, now_us=15)
    patient.sees(late(FindingChange(gain.after, replace(gain.after, quiet=True), 10)), now_us=20)
    assert kinds(patient.events) == ["opened"]


def test_in_hospital_an_incident_does_not_matter_any_more(patient: Patient) -> None:
    patient.sees(patient.opens(10, signal=Signal.SILENCE), now_us=10)
    held = replace(patient.only, held_back=HeldBack.INCIDENT)
    patient.alerts[held.alert_id] = held
    patient.circumstances((20, Admit()), (40, Discharge()))
    told = patient.sees(now_us=30)
    assert [(e.from_value, e.to_value) for e in told.events] == [(HeldBack.INCIDENT, HeldBack.ADMISSION)]
    patient.sees(now_us=40)
    assert patient.only.held_back is None


def test_nothing_happens_when_nothing_changed(patient: Patient) -> None:
    patient.sees(patient.opens(10), now_us=10)
    assert patient.sees(now_us=500) == Consequences((), (), ())

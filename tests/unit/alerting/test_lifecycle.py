from dataclasses import replace
from uuid import UUID

import pytest

from alerting.escalation.choice import closing_by
from alerting.escalation.policy_files import load_policies
from alerting.findings import FindingChange
from alerting.lifecycle import Consequences
from models.alerts import AlertEvent, AlertState, HeldBack, Outcome
from models.findings import Evidence, Severity, Signal
from models.messages import Admit, Discharge, End, Pause, Resume
from tests.unit.alerting.acting import promises_are_whole
from tests.unit.alerting.followed import Patient, kinds, late


@pytest.fixture
def patient() -> Patient:
    return Patient()


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


@pytest.mark.parametrize(("programme", "closes"), [("heart_failure", True), ("frail_elderly", False)])
def test_what_its_policy_does_not_let_close_waits_for_a_person(
    patient: Patient, programme: str, closes: bool
) -> None:
    patient.may_close = closing_by(load_policies())
    finding = patient.opens(10, severity=Severity.MEDIUM, signal=Signal.SILENCE, programme=programme)
    patient.sees(finding)
    patient.sees(patient.clears(finding, 20))
    assert (patient.only.state is AlertState.RESOLVED) is closes


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

"""What ends a promise by itself, and what patients write."""

from dataclasses import replace
from uuid import UUID

import pytest

from alerting.findings import FindingChange
from alerting.remarks import Remark
from models.access import Role
from models.alerts import AlertEvent, AlertState, HeldBack, Outcome
from models.escalations import Party
from models.findings import Severity, Signal
from models.messages import Admit, Discharge, End, Pause
from tests.unit.alerting.acting import promises_are_whole
from tests.unit.alerting.followed import ORGANISATION, Patient, kinds, late


@pytest.fixture
def patient() -> Patient:
    return Patient()


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

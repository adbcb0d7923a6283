"""One partition, from bytes to stretches, without a server."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count, pairwise
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.ledger import Ledger
from alerting.partition import Partition, cuts
from models.alerts import AlertEvent, AlertState, Outcome
from models.findings import Finding, Severity, Signal
from tests import shipped
from tests.integration.alerting.small_log import SmallLog
from tests.naive.findings import Finding as Twin
from tests.naive.findings import naive_findings

MINUTE = 60_000_000


@dataclass(frozen=True, slots=True)
class Record:
    offset: int
    value: bytes


def records(seed: int, patients: int = 16, days: int = 26) -> list[Record]:
    messages = SmallLog(seed, patients, days).messages()
    return [Record(2 * offset, message.value) for offset, message in enumerate(messages)]


def followed(log: Sequence[Record], cut_at: Sequence[int]) -> Ledger:
    """The log in batches that begin at these places, booked in memory."""
    partition, ledger = Partition(0, shipped.compiled(), "trial", 1), Ledger.of((), (), ())
    ids = (UUID(int=number) for number in count(1))
    for first, end in pairwise([0, *sorted(cut_at), len(log)]):
        evaluated = partition.advance(log[first:end], "nonce")
        assert evaluated.rebuild == ()
        for stretch in evaluated.stretches:
            ledger.take(stretch, ids)
    assert ledger.contradictions == {}
    return ledger


def standing(ledger: Ledger) -> set[Finding]:
    """Findings that were never retracted; quiet is about alerts."""
    stored = (finding for of_patient in ledger.findings.values() for finding in of_patient.values())
    return {replace(finding, quiet=False) for finding in stored if not finding.retracted}


@pytest.fixture(scope="module")
def at_once() -> Ledger:
    return followed(records(1), [])


RARE = {AlertEvent.REOPENED, AlertEvent.RETRACTED, AlertEvent.UNCONFIRMED, AlertEvent.CONFIRMED}


def test_the_small_log_finds_something_of_each_sort(at_once: Ledger) -> None:
    events = Counter(event.event for event in at_once.events)
    by_itself = list(AlertEvent)[: list(AlertEvent).index(AlertEvent.REOPENED) + 1]
    for expected in by_itself:
        if expected is not AlertEvent.SEVERITY_RAISED:
            assert events[expected] or expected in RARE, expected
    assert len(standing(at_once)) > 50
    assert any(finding.retracted for of in at_once.findings.values() for finding in of.values())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_findings_are_those_of_the_twin(seed: int) -> None:
    log = records(seed, patients=8, days=20)
    messages = [json.loads(record.value) for record in log]
    sound = [message for message in messages if message.get("readings") != "none"]
    found = {
        Twin(
            id=finding.finding_id,
            patient_id=str(finding.patient_id),
            rule=f"{finding.programme}/{finding.rule}",
            opened_us=finding.opened_at_us,
            cleared_us=finding.cleared_at_us,
            severity=finding.severity.value,
            values=tuple(evidence.value for evidence in finding.opening),
            raised_us=finding.raised_at_us,
            raised_values=tuple(evidence.value for evidence in finding.raised),
        )
        for finding in standing(followed(log, range(37, len(log), 37)))
    }
    assert len(found) > 15
    assert found == naive_findings(shipped.programmes(), sound)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 3), st.data())
def test_findings_and_alerts_do_not_depend_on_batches(seed: int, data: st.DataObject) -> None:
    log = records(seed)
    places = st.lists(st.integers(1, len(log) - 1), max_size=30, unique=True)
    cut_at = data.draw(places, label="batches begin at")
    whole, pieces = followed(log, []), followed(log, cut_at)
    assert standing(pieces) == standing(whole)
    assert alerts_of(pieces) == alerts_of(whole)


def alerts_of(ledger: Ledger) -> Counter[tuple[object, ...]]:
    return Counter(
        (a.patient_id, a.signal, a.severity, a.opened_at_us, a.state, a.cleared_at_us, a.outcome, a.retracted)
        for of_patient in ledger.alerts.values()
        for a in of_patient.values()
    )


def test_each_patient_has_at_most_one_unresolved_alert_of_a_signal(at_once: Ledger) -> None:
    unresolved = Counter(
        (alert.patient_id, alert.signal)
        for of_patient in at_once.alerts.values()
        for alert in of_patient.values()
        if alert.state is not AlertState.RESOLVED
    )
    assert max(unresolved.values()) == 1


def test_what_changes_late_says_which_readings_came(at_once: Ledger) -> None:
    changed = [event for event in at_once.events if event.event is AlertEvent.FINDING_CHANGED]
    read = 0
    for event in changed:
        assert event.why["changed"]
        because = event.why["because"]
        assert isinstance(because, dict)
        if "readings" not in because:
            # A doubt was decided, long after the reading that gave rise to it.
            assert because["requests"]
            continue
        read += 1
        assert because["readings"] >= 1
        assert because["taken_from_us"] <= because["taken_until_us"] < event.happened_at_us
    assert read


def test_what_patients_write_opens_one_alert_and_joins_it_once_each(at_once: Ledger) -> None:
    told = [
        event
        for event in at_once.events
        if event.event in {AlertEvent.OPENED, AlertEvent.REMARKED} and "remark_id" in event.why
    ]
    alerts = {a.alert_id: a for of in at_once.alerts.values() for a in of.values()}
    assert {alerts[event.alert_id].signal for event in told} == {Signal.REMARK}
    assert len({event.why["remark_id"] for event in told}) == len(told) > len({e.alert_id for e in told}) > 5
    assert all("breath" not in str(event) for event in at_once.events)
    remarks = [alert for alert in alerts.values() if alert.signal is Signal.REMARK]
    assert {(a.severity, a.retracted, a.cleared_at_us) for a in remarks} == {(Severity.LOW, False, None)}
    assert {a.outcome for a in remarks} == {None, Outcome.ENDED}


def test_a_programme_that_does_not_exist_is_told_once() -> None:
    log = records(1)
    partition = Partition(0, shipped.compiled(), "trial", 1)
    problems = [p for record in log for p in partition.advance([record], "nonce").problems]
    assert {problem.field for problem in problems} == {"programme"}
    assert len(problems) == 2


def test_a_batch_is_cut_at_clock_messages_of_different_minutes() -> None:
    ticks = [(offset, offset * MINUTE // 2) for offset in (10, 11, 12, 20)]
    assert list(cuts(ticks, [5, 11, 15], 0)) == [(10, 5 * MINUTE), (12, 6 * MINUTE), (None, 10 * MINUTE)]
    assert list(cuts(ticks, [], 0)) == [(None, 10 * MINUTE)]
    assert list(cuts([], [5], 3)) == [(None, 3)]
    assert list(cuts([], [], 3)) == []
    assert list(cuts([(4, 10 * MINUTE), (5, 2 * MINUTE)], [], 3)) == [(None, 10 * MINUTE)]

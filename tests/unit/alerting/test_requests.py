"""What the gate says of a patient on its way from the engine's verdict to what is stored; pure."""

from dataclasses import replace
from itertools import count
from uuid import UUID

import pytest

from alerting.engine.compiled import CompiledProgrammes
from alerting.ledger import Ledger
from alerting.partition import Partition
from models.clock import HOUR_US, MINUTE_US
from models.messages import Origin
from models.requests import MeasurementRequest, RequestStatus
from tests import shipped
from tests.rows import Row, readings
from tests.wire import HOSPITAL, PATIENT, TAKEN_AT_US, change, clock, log, reading, registration, upload

BEFORE_US = TAKEN_AT_US - 24 * HOUR_US
"""When the patient was weighed at 81.4 kg; at TAKEN_AT_US it is 92 kg."""
JUMPED = MeasurementRequest(
    patient_id=PATIENT,
    organisation_id=HOSPITAL,
    origin=Origin.SIMULATED,
    log_partition=0,
    kind="body_weight",
    taken_at_us=TAKEN_AT_US,
    due_us=TAKEN_AT_US + 4 * HOUR_US,
    reason="jump",
    status=RequestStatus.PENDING,
    value=92.0,
    former=81.4,
    said_at_us=TAKEN_AT_US + MINUTE_US,
)
ENROLMENT = change("enrol", {"programme": "heart_failure", "version": 1}, valid_from_us=BEFORE_US)


def weighed(value: float, taken_at_us: int) -> bytes:
    weight = reading(value=value, taken_at_us=taken_at_us)
    return upload(weight, sent_at_us=taken_at_us, received_at_us=taken_at_us + 1)


JUMP = (
    registration(),
    ENROLMENT,
    weighed(81.4, BEFORE_US),
    clock(BEFORE_US + MINUTE_US),
    weighed(92.0, TAKEN_AT_US),
    clock(TAKEN_AT_US + MINUTE_US),
)


@pytest.fixture(scope="module")
def programmes() -> CompiledProgrammes:
    return shipped.compiled()


@pytest.fixture
def partition(programmes: CompiledProgrammes) -> Partition:
    return Partition(0, programmes, "trial", 1)


def taken(partition: Partition, *values: bytes, first: int = 0) -> Ledger:
    ledger = Ledger.of((), (), ())
    for stretch in partition.advance(log(*values, first=first), "n").stretches:
        ledger.take(stretch, (UUID(int=n) for n in count(1)))
    return ledger


def test_a_request_is_of_its_patient(partition: Partition) -> None:
    ledger = taken(partition, *JUMP)
    assert ledger.requests() == [JUMPED]
    assert ledger.from_scratch == {}


def test_its_last_status_counts(partition: Partition) -> None:
    repeated_us = TAKEN_AT_US + HOUR_US
    repeat = weighed(81.6, repeated_us), clock(repeated_us + MINUTE_US)
    suspect = replace(JUMPED, status=RequestStatus.SUSPECT, said_at_us=repeated_us + MINUTE_US)
    assert taken(partition, *JUMP, *repeat).requests() == [suspect]


def test_nothing_is_said_of_who_did_not_jump(partition: Partition) -> None:
    quiet = registration(), ENROLMENT, weighed(81.4, BEFORE_US), weighed(81.9, TAKEN_AT_US)
    assert taken(partition, *quiet, clock(TAKEN_AT_US + MINUTE_US)).requests() == []


def test_who_is_evaluated_again_has_the_requests_that_are_said_then(partition: Partition) -> None:
    taken(partition, *JUMP)
    # What is stored of the patient is all that counts then: another value of the day before.
    row = Row(2, patient_id=PATIENT, taken_at_us=BEFORE_US, value=80.0, value_received=80.0)
    stored = [row, replace(row, offset=4, taken_at_us=TAKEN_AT_US, value=92.0, value_received=92.0)]
    stretch = partition.evaluate_again(PATIENT, readings(stored))
    assert stretch is not None
    assert stretch.from_scratch
    ledger = Ledger.of((), (), ())
    ledger.take(stretch, (UUID(int=n) for n in count(1)))
    assert ledger.from_scratch == {PATIENT: TAKEN_AT_US + MINUTE_US}
    assert [(request.former, request.status) for request in ledger.requests()] == [(80.0, JUMPED.status)]


def test_the_id_of_a_request_is_the_same_in_every_run() -> None:
    request = MeasurementRequest(
        patient_id=UUID(int=7),
        organisation_id=HOSPITAL,
        origin=Origin.SIMULATED,
        log_partition=0,
        kind="body_weight",
        taken_at_us=1_795_332_660_000_000,
        due_us=0,
        reason="jump",
        status=RequestStatus.PENDING,
        value=1.0,
        former=2.0,
        said_at_us=0,
    )
    assert request.request_id == replace(request, status=RequestStatus.SUSPECT, log_partition=3).request_id
    assert request.request_id != replace(request, kind="glucose").request_id

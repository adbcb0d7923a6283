"""What the gate says of a patient on its way from the engine's verdict to what is stored; pure."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from alerting.engine.compiled import CompiledProgrammes, compile_programmes
from alerting.engine.engine import Engine
from alerting.engine.programme_files import load_folder
from alerting.engine.verdict import Verdict
from alerting.ledger import Ledger
from alerting.partition import Partition
from models.columns import Readings
from models.messages import Origin
from models.requests import MeasurementRequest, Requested, RequestStatus
from tests.rows import Row, readings
from tests.wire import HOSPITAL, PATIENT, TAKEN_AT_US, clock, log, registration, upload

JUMP = Requested(
    patient_row=0,
    kind="body_weight",
    taken_at_us=TAKEN_AT_US,
    due_us=TAKEN_AT_US + 1,
    reason="jump",
    status=RequestStatus.PENDING,
    value=92.0,
    former=81.4,
)


class Saying(Engine):
    """The engine, saying of requests what it is told to say."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.next: list[Sequence[Requested]] = []

    def apply(self, readings: Readings | None, now_us: int) -> Verdict:
        said = self.next.pop(0) if self.next else ()
        return replace(super().apply(readings, now_us), requests=tuple(said))


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Saying:
    compiled = compile_programmes(load_folder())
    saying = Saying(compiled)

    def of(programmes: CompiledProgrammes) -> Engine:
        assert programmes is compiled
        return saying

    monkeypatch.setattr("alerting.partition.Engine", of)
    return saying


def taken(partition: Partition, *values: bytes) -> Ledger:
    ledger = Ledger.of((), (), ())
    for stretch in partition.advance(log(*values), "n").stretches:
        ledger.take(stretch, (UUID(int=n) for n in count(1)))
    return ledger


def partition_of(engine: Saying) -> Partition:
    return Partition(0, engine.programmes, "trial", 1)


def test_a_request_is_of_its_patient_and_its_last_status_counts(engine: Saying) -> None:
    engine.next = [[JUMP, replace(JUMP, status=RequestStatus.SUSPECT)]]
    ledger = taken(partition_of(engine), registration(), upload(), clock(TAKEN_AT_US + 60_000_000))
    assert ledger.requests() == [
        MeasurementRequest(
            patient_id=PATIENT,
            organisation_id=HOSPITAL,
            origin=Origin.SIMULATED,
            log_partition=0,
            kind="body_weight",
            taken_at_us=TAKEN_AT_US,
            due_us=TAKEN_AT_US + 1,
            reason="jump",
            status=RequestStatus.SUSPECT,
            value=92.0,
            former=81.4,
            said_at_us=TAKEN_AT_US + 60_000_000,
        )
    ]
    assert ledger.from_scratch == {}


def test_who_is_evaluated_again_has_the_requests_that_are_said_then(engine: Saying) -> None:
    partition = partition_of(engine)
    taken(partition, registration(), upload())
    engine.next = [[JUMP, replace(JUMP, patient_row=1)]]
    stretch = partition.evaluate_again(PATIENT, readings([Row(0)]))
    assert stretch is not None
    assert (stretch.requests, stretch.from_scratch) == ((JUMP,), True)
    ledger = Ledger.of((), (), ())
    ledger.take(stretch, iter(()))
    assert ledger.from_scratch == {PATIENT: 0}
    assert [request.status for request in ledger.requests()] == [RequestStatus.PENDING]


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

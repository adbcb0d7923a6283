"""What the rules on devices hear of readings that had to be refused."""

from typing import Any

from ingest.changes import place
from ingest.decode import decode
from ingest.normalise import Normalised, normalise
from ingest.patients import PatientIndex
from models.clock import DAY_US
from models.columns import Notice
from models.kinds import KIND_BY_NAME
from models.messages import FUTURE_TOLERANCE_US, OLDEST_READING_US
from tests.wire import RECEIVED_AT_US, TAKEN_AT_US, log, reading, registration, upload

STATE = KIND_BY_NAME["device_state"]


def taken_in(*readings: Any) -> Normalised:
    """One upload of these readings, of a registered patient."""
    patients = PatientIndex()
    decoded = decode(log(registration(), upload(*readings)), partition=0, nonce="n")
    place(decoded, patients, None, "trial", 1)
    return normalise(decoded, patients)


def said(found: Normalised) -> list[tuple[int, str, int]]:
    """Position, state and time of each notice."""
    notices = found.notices
    assert (notices.kind == STATE.number).all()
    assert not any(column.any() for column in (notices.revision, notices.void, notices.too_late))
    return [
        (position, STATE.codes[code], at_us)
        for position, code, at_us in zip(
            notices.position.tolist(), notices.code.tolist(), notices.taken_at_us.tolist(), strict=True
        )
    ]


def test_what_cannot_be_believed_is_said_when_it_was_taken() -> None:
    found = taken_in(
        reading(),
        reading("pulse", 0, unit="/min"),
        reading("body_weight", 500, taken_at_us=TAKEN_AT_US + 1),
        reading("systolic", 80, unit="mm[Hg]", taken_at_us=TAKEN_AT_US + 2),
        reading("diastolic", 90, unit="mm[Hg]", taken_at_us=TAKEN_AT_US + 2),
    )
    assert said(found) == [
        (1, "nothing_measured", TAKEN_AT_US),
        (2, "implausible", TAKEN_AT_US + 1),
        (3, "implausible", TAKEN_AT_US + 2),
        (4, "implausible", TAKEN_AT_US + 2),
    ]
    assert found.readings.position.tolist() == [0]


def test_a_wrong_clock_is_said_when_the_reading_was_received() -> None:
    found = taken_in(
        reading(taken_at_us=RECEIVED_AT_US + FUTURE_TOLERANCE_US + 1),
        reading(taken_at_us=RECEIVED_AT_US - OLDEST_READING_US - 1),
    )
    assert said(found) == [(0, "clock_wrong", RECEIVED_AT_US), (1, "clock_wrong", RECEIVED_AT_US)]


def test_of_what_came_too_late_and_of_what_nobody_can_read_nothing_is_said() -> None:
    found = taken_in(
        reading("pulse", 0, unit="/min", taken_at_us=RECEIVED_AT_US - 8 * DAY_US),
        reading(unit="stone"),
        reading("consciousness", None, unit=None, code="asleep"),
    )
    assert said(found) == []
    assert [refusal.notice for refusal in found.refusals] == [None] * 3


def test_the_refusal_keeps_what_was_said() -> None:
    found = taken_in(reading(), reading("pulse", 0, unit="/min"))
    (refusal,) = found.refusals
    assert refusal.notice == Notice("scale-4711", TAKEN_AT_US, STATE.codes.index("nothing_measured"))


def test_together_they_are_in_the_order_of_the_log() -> None:
    found = taken_in(reading("pulse", 0, unit="/min"), reading(), reading("pulse", 0, unit="/min"))
    together = found.readings.merged(found.notices)
    assert together.position.tolist() == [0, 1, 2]
    assert together.kind.tolist() == [STATE.number, KIND_BY_NAME["body_weight"].number, STATE.number]
    assert found.readings.merged(found.notices.take(found.notices.position < 0)) is found.readings

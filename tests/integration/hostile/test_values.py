"""Readings that are wrong in themselves: stored as they are meant, or refused for exactly what is wrong."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.columns import Reason
from models.kinds import KIND_BY_NAME
from tests.gates import Answer, Gate
from tests.integration.hostile.conftest import FHIR_TYPE, PLAIN, now, refused, upload, written

pytestmark = pytest.mark.usefixtures("unharmed")

UCUM = "http://unitsofmeasure.org"
OBSERVATION = "/fhir/Observation"
MASS_OF_GLUCOSE = "2339-0"


@dataclass(frozen=True, slots=True)
class Sent:
    """A value as a device may send it, and what has to come of it: a value stored, or why not."""

    kind: str
    value: float
    unit: str
    comes: float | Reason
    label: str = ""


SENT: dict[str, Sent] = {
    "°F labelled Cel": Sent("temperature", 98.6, "Cel", Reason.IMPLAUSIBLE, "°C"),
    "°F as such": Sent("temperature", 98.6, "[degF]", 37.0, "°F"),
    "mg/dL labelled mmol/L": Sent("glucose", 120.0, "mmol/L", Reason.IMPLAUSIBLE, "mmol/L"),
    "mg/dL as such": Sent("glucose", 120.0, "mg/dL", 120 / 18.01559, "mg/dL"),
    "SpO2 as 0.97 %": Sent("spo2", 0.97, "%", Reason.IMPLAUSIBLE, "%"),
    "SpO2 as 0.97 of one": Sent("spo2", 0.97, "1", 97.0),
    "grams": Sent("body_weight", 81_400.0, "g", 81.4, "g"),
    "grams labelled kg": Sent("body_weight", 81_400.0, "kg", Reason.IMPLAUSIBLE, "kg"),
    "{breaths}/min": Sent("respiratory_rate", 16.0, "{breaths}/min", 16.0),
    "{Breaths}/min": Sent("respiratory_rate", 16.0, "{Breaths}/min", 16.0),
    "micro sign, U+00B5": Sent("glucose", 6_100.0, "\u00b5mol/L", 6.1),
    "Greek mu, U+03BC": Sent("glucose", 6_100.0, "\u03bcmol/L", 6.1),
    "a unit of another kind": Sent("body_weight", 81.4, "mm[Hg]", Reason.UNKNOWN_UNIT),
    "a unit that there is not": Sent("body_weight", 81.4, "stone", Reason.UNKNOWN_UNIT),
    "nothing measured": Sent("heart_rate", 0.0, "/min", Reason.SENTINEL),
    "below zero": Sent("heart_rate", -61.0, "/min", Reason.IMPLAUSIBLE),
}
"""By FHIR and by plain JSON alike. Where the unit is no UCUM code, FHIR has it as a label only."""

KPA = {"systolic": (16.0, 120.01), "diastolic": (10.7, 80.26)}


def observation(gate: Gate, sent: Sent, at: datetime) -> dict[str, Any]:
    # The code of a concentration says whether it is of amounts or of masses.
    loinc = MASS_OF_GLUCOSE if sent.unit == "mg/dL" else KIND_BY_NAME[sent.kind].loinc[0]
    is_ucum = sent.unit.isascii() and sent.unit != "stone"
    quantity: dict[str, Any] = {"value": sent.value, "unit": sent.label or sent.unit}
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": loinc}]},
        "subject": {"reference": f"Patient/{gate.homes[0].patient_id}"},
        "device": {"identifier": {"value": gate.homes[0].device_id}},
        "effectiveDateTime": at.isoformat(),
        "valueQuantity": quantity | ({"system": UCUM, "code": sent.unit} if is_ucum else {}),
    }


def must_have_come(gate: Gate, answer: Answer, sent: Sent, at: datetime, taken: int) -> None:
    stored = gate.stored("SELECT kind, value, value_received FROM reading WHERE taken_at = $1", at)
    if isinstance(sent.comes, Reason):
        refused(answer, 422)
        assert stored == []
    else:
        assert answer.status == taken, answer
        (row,) = stored
        assert row["kind"] == KIND_BY_NAME[sent.kind].number
        assert row["value"] == pytest.approx(sent.comes, rel=1e-12)
        assert row["value_received"] in (None, sent.value)


@pytest.mark.parametrize("name", SENT)
def test_plain_values_are_stored_as_meant_or_refused_and_kept(gate: Gate, name: str) -> None:
    sent, at = SENT[name], now()
    content = upload(gate, kind=sent.kind, value=sent.value, unit=sent.unit, taken_at=at.isoformat())
    before = _in_quarantine(gate)
    answer = gate.post(PLAIN, written(content))
    must_have_come(gate, answer, sent, at, taken=202)
    if isinstance(sent.comes, Reason):
        assert _in_quarantine(gate) == [*before, sent.comes.value]
        assert b"readings[0]" in answer.body


@pytest.mark.parametrize("name", SENT)
def test_observations_are_stored_as_meant_or_refused(gate: Gate, name: str) -> None:
    sent, at = SENT[name], now()
    answer = gate.post(OBSERVATION, written(observation(gate, sent, at)), FHIR_TYPE)
    must_have_come(gate, answer, sent, at, taken=201)
    if isinstance(sent.comes, Reason):
        outcome = answer.json()
        assert outcome["resourceType"] == "OperationOutcome"
        assert "valueQuantity" in str(outcome["issue"][0]["expression"])


def test_pressures_in_kilopascal(gate: Gate) -> None:
    at = now()
    readings = [
        {"kind": kind, "value": value, "unit": "kPa", "taken_at": at.isoformat()}
        for kind, (value, _) in KPA.items()
    ]
    answer = gate.post(PLAIN, written(upload(gate) | {"readings": readings}))
    assert answer.status == 202, answer
    rows = gate.stored("SELECT kind, value FROM reading WHERE taken_at = $1 ORDER BY kind", at)
    assert [round(row["value"], 2) for row in rows] == [expected for _, expected in KPA.values()]


def test_a_label_that_contradicts_its_code_is_refused(gate: Gate) -> None:
    at = now()
    sent = Sent("temperature", 37.0, "Cel", Reason.IMPLAUSIBLE, label="°F")
    must_have_come(
        gate, gate.post(OBSERVATION, written(observation(gate, sent, at)), FHIR_TYPE), sent, at, 201
    )


TIMES = {
    "1970": "1970-01-01T00:00:00Z",
    "2099": "2099-12-31T23:59:59Z",
    "without zone": "2026-11-29T07:12:00",
    "a date": "2026-11-29",
    "no such day": "2026-02-30T07:12:00Z",
    "no such hour": "2026-11-29T25:00:00Z",
    "no such offset": "2026-11-29T07:12:00+25:00",
    "a number": 1_795_332_680,
    "nothing": None,
    "an essay": "x" * 10_000,
}


@pytest.mark.parametrize("name", TIMES)
def test_times_that_cannot_be_are_refused_at_their_place(gate: Gate, name: str) -> None:
    count = gate.stored("SELECT count(*) AS n FROM reading")[0]["n"]
    plain = refused(gate.post(PLAIN, written(upload(gate, taken_at=TIMES[name]))), 400, 422)
    assert b"readings[0]" in plain.body
    resource = observation(gate, SENT["grams"], now()) | {"effectiveDateTime": TIMES[name]}
    if TIMES[name] is None:
        del resource["effectiveDateTime"]
    outcome = refused(gate.post(OBSERVATION, written(resource), FHIR_TYPE), 400, 422)
    assert b"effective" in outcome.body
    assert gate.stored("SELECT count(*) AS n FROM reading")[0]["n"] == count


def test_the_hour_that_occurs_twice_is_two_hours(gate: Gate) -> None:
    """When the clocks go back half past two comes twice; the offset says which of them is meant."""
    first, second = "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"
    for taken_at, value in ((first, 80.0), (second, 81.0)):
        content = upload(gate, taken_at=taken_at, value=value)
        assert gate.post(PLAIN, written(content)).status == 202
    rows = gate.stored(
        "SELECT taken_at, value FROM reading WHERE taken_at BETWEEN $1 AND $2 ORDER BY taken_at",
        datetime(2026, 10, 25, 0, tzinfo=UTC),
        datetime(2026, 10, 25, 2, tzinfo=UTC),
    )
    half_past = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert [tuple(row) for row in rows] == [(half_past, 80.0), (half_past + timedelta(hours=1), 81.0)]
    refused(gate.post(PLAIN, written(upload(gate, taken_at="2026-10-25T02:30:00"))), 400, 422)


def _in_quarantine(gate: Gate) -> list[str]:
    query = "SELECT reason FROM quarantine ORDER BY log_partition, log_offset, log_position"
    return [row["reason"] for row in gate.stored(query)]

"""Observations received near their date, looked at as whoever stores them will: as sent, or why not."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from ingest.decode import decode
from ingest.delivery.content import Code, Fault
from ingest.delivery.fhir.outcome import issue_of
from ingest.normalise import normalise
from ingest.patients import PatientIndex
from models.clock import to_us
from models.kinds import KINDS
from tests import wire
from tests.unit.delivery.fhir.samples import (
    LOINC,
    blood_pressure,
    code,
    mapped,
    nl_core,
    observation,
    quantity,
)


def received(resource: dict[str, Any], after: timedelta = timedelta(minutes=1)) -> list[Any]:
    """For each reading its kind and canonical value or answer, or why it is refused, as FHIR says it."""
    found = mapped(resource)
    delivered = found.delivered
    received_at_us = found.taken_at_us + after // timedelta(microseconds=1)
    sent = wire.upload(*delivered.readings, received_at_us=received_at_us, sent_at_us=received_at_us)
    patients = PatientIndex()
    patients.add(wire.PATIENT, wire.HOSPITAL, 0)
    decoded = decode(wire.log(sent, first=1), partition=0, nonce="n")
    readings, refusals, _ = normalise(decoded, patients)
    told: list[Any] = [None] * len(delivered.places)
    for row, position in enumerate(readings.position.tolist()):
        kind = KINDS[int(readings.kind[row])]
        code = int(readings.code[row])
        told[position] = kind.name, kind.codes[code] if code >= 0 else float(readings.value[row])
    for one in [*decoded.refusals, *refusals]:
        where = f"{delivered.places[one.position]}.{one.field}"
        issue: Any = issue_of(Fault(where, one.expected, one.found, Code.VALUE, kept=True))
        told[one.position] = issue["expression"][0], issue["diagnostics"]
    return told


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("BloodPressure", [("systolic", 125), ("diastolic", 75), ("mean_arterial", 100)]),
        ("BodyTemperature", [("temperature", 38.6)]),
        ("HeartRate", [("heart_rate", 126)]),
        ("O2Saturation", [("spo2", 92), ("supplemental_oxygen", "oxygen")]),
        ("PulseRate.PulseRateValue", [("pulse", 50)]),
    ],
)
def test_published_ones_are_stored(name: str, stored: list[Any]) -> None:
    assert received(nl_core(name)) == stored


def test_the_weight_of_a_baby_is_refused_for_what_it_is() -> None:
    timed = nl_core("BodyWeight") | {"effectiveDateTime": "2013-02-06T07:00:00+01:00"}
    ((where, told),) = received(timed)
    assert where == "Observation.valueQuantity.value"
    assert told == "expected 20 to 300 kg, found 2.4 (2400 g). It is kept in quarantine."


@pytest.mark.parametrize(
    ("loinc", "value", "unit", "stored"),
    [
        ("29463-7", 81400, "g", ("body_weight", 81.4)),
        ("29463-7", 185, "[lb_av]", ("body_weight", 185 * 0.45359237)),
        ("8480-6", 16.7, "kPa", ("systolic", 16.7 * 7.500616827)),
        ("8310-5", 98.6, "[degF]", ("temperature", 37.0)),
        ("59408-5", 0.97, "1", ("spo2", 97.0)),
        ("9279-1", 16, "{breaths}/min", ("respiratory_rate", 16)),
        ("14743-9", 5500, "µmol/L", ("glucose", 5.5)),
        ("14743-9", 5500, "μmol/L", ("glucose", 5.5)),
        ("2339-0", 100, "mg/dL", ("glucose", 100 / 18.01559)),
        ("33452-4", 7.5, "L/s", ("peak_flow", 450)),
        ("55423-8", 4321, "{steps}/d", ("steps", 4321)),
    ],
)
def test_units_of_the_field(loinc: str, value: float, unit: str, stored: tuple[str, float]) -> None:
    sent = observation((LOINC, loinc), valueQuantity=quantity(value, unit))
    ((kind, canonical),) = received(sent)
    assert (kind, canonical) == (stored[0], pytest.approx(stored[1], rel=1e-12))


@pytest.mark.parametrize(
    ("loinc", "value", "unit", "told"),
    [
        ("8310-5", 98.6, "Cel", "expected 30 to 45 Cel, found 98.6 (98.6 Cel)."),
        ("14743-9", 120, "mmol/L", "expected 0.6 to 55 mmol/L, found 120 (120 mmol/L)."),
        ("59408-5", 0.97, "%", "expected above 50 to 100 %, found 0.97 (0.97 %)."),
        ("59408-5", 50, "%", "expected a measured value, found 50 (50 %)."),
        ("29463-7", 81400, "kg", "expected 20 to 300 kg, found 81400 (81400 kg)."),
        ("8867-4", 0, "/min", "expected a measured value, found 0 (0 /min)."),
    ],
)
def test_values_that_cannot_be(loinc: str, value: float, unit: str, told: str) -> None:
    sent = observation((LOINC, loinc), valueQuantity=quantity(value, unit))
    assert received(sent) == [("Observation.valueQuantity.value", f"{told} It is kept in quarantine.")]


def test_a_unit_of_something_else() -> None:
    ((where, told),) = received(observation(valueQuantity=quantity(12.8, "[stone_av]")))
    assert where == "Observation.valueQuantity.code"
    assert told.startswith("expected kg or g or [lb_av], found [stone_av]")
    ((where, told),) = received(observation(valueQuantity={"value": 81.4}))
    assert where == "Observation.valueQuantity.code"
    assert told.startswith("expected kg or g or [lb_av], found nothing")


def test_crossed_pressures_are_both_refused() -> None:
    high = {"code": code((LOINC, "8480-6")), "valueQuantity": quantity(75, "mm[Hg]")}
    low = {"code": code((LOINC, "8462-4")), "valueQuantity": quantity(125, "mm[Hg]")}
    places = [where for where, _ in received(blood_pressure(high, low))]
    assert places == [f"Observation.component[{number}].valueQuantity.value" for number in (0, 1)]


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (
            timedelta(minutes=-6),
            "expected at most 5 minutes after received_at_us, found 2026-11-22T07:31:20+00:00.",
        ),
        (
            timedelta(days=401),
            "expected at most 400 days before received_at_us, found 2026-11-22T07:31:20+00:00.",
        ),
    ],
)
def test_times_of_a_wild_clock(after: timedelta, told: str) -> None:
    assert received(observation(), after) == [("Observation.effective", f"{told} It is kept in quarantine.")]


def test_the_hour_that_occurs_twice_is_two() -> None:
    first = mapped(observation(effectiveDateTime="2026-10-25T02:30:00+02:00")).taken_at_us
    second = mapped(observation(effectiveDateTime="2026-10-25T02:30:00+01:00")).taken_at_us
    assert second - first == 3_600_000_000
    assert first == to_us(datetime.fromisoformat("2026-10-25T00:30:00+00:00"))

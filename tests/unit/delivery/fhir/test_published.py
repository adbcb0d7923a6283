"""The published examples of the zibs arrive with value, unit and time as they have them, or are refused."""

from datetime import datetime

from models.clock import to_us
from tests.unit.delivery.fhir.samples import content, faults, mapped, nl_core


def test_blood_pressure_with_its_mean_and_without_what_is_no_reading() -> None:
    assert content(nl_core("BloodPressure")) == [
        {"kind": "systolic", "value": 125, "unit": "mm[Hg]"},
        {"kind": "diastolic", "value": 75, "unit": "mm[Hg]"},
        {"kind": "mean_arterial", "value": 100, "unit": "mm[Hg]"},
    ]
    found = mapped(nl_core("BloodPressure"))
    assert found.about == "blood_pressure"
    assert found.taken_at_us == to_us(datetime.fromisoformat("2013-02-08T06:43:00+01:00"))
    assert [reading.get("utc_offset_min") for reading in found.delivered.readings] == [60, 60, 60]
    assert found.delivered.places == (
        "Observation.component[0].valueQuantity",
        "Observation.component[1].valueQuantity",
        "Observation.component[4].valueQuantity",
    )


def test_temperature_beside_a_code_that_is_not_known() -> None:
    assert content(nl_core("BodyTemperature")) == [{"kind": "temperature", "value": 38.6, "unit": "Cel"}]


def test_heart_rate_by_auscultation() -> None:
    assert content(nl_core("HeartRate")) == [{"kind": "heart_rate", "value": 126, "unit": "/min"}]


def test_saturation_with_extra_oxygen() -> None:
    assert content(nl_core("O2Saturation")) == [
        {"kind": "spo2", "value": 92, "unit": "%"},
        {"kind": "supplemental_oxygen", "code": "oxygen", "code_received": "true"},
    ]


def test_pulse_is_known_by_its_own_code() -> None:
    assert content(nl_core("PulseRate.PulseRateValue")) == [{"kind": "pulse", "value": 50, "unit": "/min"}]


def test_a_weight_on_a_date_without_a_time_is_refused() -> None:
    ((where, expected, found),) = faults(nl_core("BodyWeight"))
    assert (where, found) == ("Observation.effectiveDateTime", "'2013-02-06', a date without a time")
    assert expected.startswith("a date and time with seconds and zone, such as 2026-11-22T08:31:20+01:00: ")
    assert expected.endswith("for body weight the hour matters, and none is invented")


def test_a_weight_in_grams_travels_in_grams() -> None:
    timed = nl_core("BodyWeight") | {"effectiveDateTime": "2013-02-06T07:00:00+01:00"}
    assert content(timed) == [{"kind": "body_weight", "value": 2400, "unit": "g"}]


def test_a_panel_that_only_refers_to_others_says_what_to_send() -> None:
    ((where, expected, found),) = faults(nl_core("PulseRate"))
    assert (where, found) == ("Observation.hasMember", "a panel that only refers to others")
    assert expected.endswith("send each member as an Observation of its own, without this one")

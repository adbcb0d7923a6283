"""What was measured: all known codings must agree, unknown ones do no harm, texts decide nothing."""

import pytest

from ingest.delivery.fhir.codes import MEANINGS
from models.kinds import KIND_BY_NAME, KINDS
from tests.unit.delivery.fhir.samples import (
    LOINC,
    MDC,
    SNOMED,
    blood_pressure,
    code,
    content,
    faults,
    mapped,
    observation,
    quantity,
)

RATE = {"valueQuantity": quantity(72, "/min")}


def test_every_code_of_a_kind_is_that_kind() -> None:
    for kind in KINDS:
        for system, codes in ((LOINC, kind.loinc), (SNOMED, kind.snomed), (MDC, kind.ieee)):
            assert all(kind.name in MEANINGS[system, number] for number in codes)


def test_codes_mean_one_thing_but_for_the_rate_that_may_be_two() -> None:
    several = {coding: means for coding, means in MEANINGS.items() if len(means) > 1}
    either = frozenset({"heart_rate", "pulse"})
    assert several == {(LOINC, "8867-4"): either, (SNOMED, "364075005"): either}


@pytest.mark.parametrize(
    ("codings", "kind"),
    [
        ([(LOINC, "8867-4")], "heart_rate"),
        ([(LOINC, "8867-4"), (SNOMED, "364075005")], "heart_rate"),
        ([(LOINC, "8867-4"), (MDC, "147842")], "heart_rate"),
        ([(LOINC, "8867-4"), (SNOMED, "78564009")], "pulse"),
        ([(MDC, "149530"), (LOINC, "8867-4")], "pulse"),
        ([(LOINC, "8893-0")], "pulse"),
        ([(SNOMED, "364075005"), (SNOMED, "78564009"), (LOINC, "8867-4")], "pulse"),
        ([(SNOMED, "364075005")], "heart_rate"),
        ([(LOINC, "8889-8")], "pulse"),
        ([("urn:oid:2.16.840.1.113883.6.1", "8893-0")], "pulse"),
        ([("urn:thuiswacht:kind", "pulse")], "pulse"),
        ([("http://example.org/own", "HR"), (LOINC, "8893-0")], "pulse"),
    ],
)
def test_heart_rate_or_pulse(codings: list[tuple[str, str]], kind: str) -> None:
    assert content(observation(*codings, **RATE))[0]["kind"] == kind
    assert mapped(observation(*codings, **RATE)).about == kind


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"method": code((SNOMED, "113011001"))}, "pulse"),
        ({"method": code((SNOMED, "37931006"))}, "heart_rate"),
        (
            {"device": {"reference": "#d"}, "contained": [{"specialization": [{"systemType": "528388"}]}]},
            None,
        ),
        ({"device": {"reference": "#d"}}, None),
    ],
)
def test_the_method_decides_a_rate(told: dict[str, object], kind: str | None) -> None:
    sent = observation((LOINC, "8867-4"), **RATE) | told
    if kind is None:
        assert faults(sent)[0][0] == "Observation.device.reference"
    else:
        assert content(sent)[0]["kind"] == kind


@pytest.mark.parametrize(
    ("profile", "kind"), [("528388", "pulse"), ("528391", "pulse"), ("528399", "heart_rate")]
)
def test_the_device_decides_a_rate(profile: str, kind: str) -> None:
    device = {
        "resourceType": "Device",
        "id": "d",
        "identifier": [{"system": "urn:thuiswacht:device", "value": "x-1"}],
        "specialization": [{"systemType": code((MDC, profile))}],
    }
    contained = observation((LOINC, "8867-4"), **RATE, device={"reference": "#d"}, contained=[device])
    assert content(contained)[0]["kind"] == kind
    bundled = observation((LOINC, "8867-4"), **RATE, device={"reference": "urn:uuid:1"})
    found = mapped(bundled, bundled={"urn:uuid:1": device})
    assert (found.about, found.delivered.device_id) == (kind, "x-1")


def test_contradicting_codings_are_both_named() -> None:
    assert faults(observation((LOINC, "29463-7"), (SNOMED, "386725007"))) == [
        (
            "Observation.code",
            "codings that mean the same: http://loinc.org|29463-7 is body_weight",
            "http://snomed.info/sct|386725007, temperature",
        )
    ]
    ((_, expected, found),) = faults(observation((LOINC, "8867-4"), (LOINC, "8310-5")))
    assert expected == "codings that mean the same: http://loinc.org|8867-4 is heart_rate or pulse"
    assert found == "http://loinc.org|8310-5, temperature"


@pytest.mark.parametrize(
    ("wrong", "where", "found"),
    [
        ({"coding": [{"system": LOINC, "code": "1-8"}]}, "Observation.code", "http://loinc.org|1-8"),
        (
            {"text": "Body weight"},
            "Observation.code",
            "no coding with system and code: texts do not say it",
        ),
        (
            {"coding": [{"code": "29463-7", "display": "Body weight"}]},
            "Observation.code",
            "no coding with system and code: texts do not say it",
        ),
        ({"coding": {"system": LOINC, "code": "29463-7"}}, "Observation.code.coding", "an object"),
        ({"coding": [{"system": LOINC, "code": 29463}]}, "Observation.code.coding[0].code", "29463"),
        ({"coding": ["29463-7"]}, "Observation.code.coding[0]", "'29463-7'"),
        ({"codings": []}, "Observation.code", "an unknown one, 'codings'"),
    ],
)
def test_codes_that_say_nothing(wrong: dict[str, object], where: str, found: str) -> None:
    assert (where, found) in [fault[::2] for fault in faults(observation(code=wrong))]


def test_a_statistic_is_no_measurement() -> None:
    statistics = "http://terminology.hl7.org/CodeSystem/observation-statistics"
    assert faults(observation((LOINC, "8867-4"), (statistics, "maximum"), **RATE)) == [
        (
            "Observation.code",
            "one measurement: what was made of several is none",
            f"{statistics}|maximum",
        )
    ]


def test_without_a_code() -> None:
    assert faults(observation(code=None))[0][::2] == ("Observation.code", "nothing")


def test_components_that_are_no_readings_are_left_out_and_unknown_ones_refused() -> None:
    cuff = {"code": code((SNOMED, "70665002")), "valueCodeableConcept": code(("urn:oid:2.16.840", "STD"))}
    systolic = {"code": code((LOINC, "8480-6")), "valueQuantity": quantity(125, "mm[Hg]")}
    assert [one["kind"] for one in content(blood_pressure(cuff, systolic))] == ["systolic"]
    unknown = {"code": code((LOINC, "9999-9")), "valueQuantity": quantity(3, "1")}
    assert faults(blood_pressure(systolic, unknown))[0][::2] == (
        "Observation.component[1].code",
        "http://loinc.org|9999-9",
    )


@pytest.mark.parametrize("mean", [(LOINC, "8478-0"), (SNOMED, "6797001"), (MDC, "150023")])
def test_the_mean_by_each_of_its_codes(mean: tuple[str, str]) -> None:
    part = {"code": code(mean), "valueQuantity": quantity(92, "mm[Hg]")}
    assert content(blood_pressure(part))[0]["kind"] == "mean_arterial"


def test_a_rate_beside_a_pressure_is_a_pulse() -> None:
    part = {"code": code((LOINC, "8867-4")), "valueQuantity": quantity(72, "/min")}
    assert content(blood_pressure(part)) == [{"kind": "pulse", "value": 72, "unit": "/min"}]


def test_one_kind_twice_is_refused() -> None:
    part = {"code": code((LOINC, "8480-6")), "valueQuantity": quantity(125, "mm[Hg]")}
    assert faults(blood_pressure(part, part)) == [
        (
            "Observation.component[1].valueQuantity",
            "systolic once, for it has one value at one time",
            "another one",
        )
    ]


def test_a_pressure_needs_components_and_no_value_of_its_own() -> None:
    bare = blood_pressure()
    del bare["component"]
    assert faults(bare) == [
        ("Observation.component", "components of LOINC 8480-6 (systolic) and 8462-4 (diastolic)", "nothing")
    ]
    valued = blood_pressure() | {"valueQuantity": quantity(125, "mm[Hg]")}
    assert faults(valued)[0][::2] == ("Observation.value", "valueQuantity")


@pytest.mark.parametrize(
    ("parts", "said", "received"),
    [
        ([("3151-8", 2, "L/min")], "oxygen", "2 L/min"),
        ([("3151-8", 0, "L/min")], "air", "0 L/min"),
        ([("3150-6", 21, "%")], "air", "21 %"),
        ([("3151-8", 6, "L/min"), ("3150-6", 40, "%")], "oxygen", "6 L/min; 40 %"),
    ],
)
def test_how_much_oxygen_says_whether_any(
    parts: list[tuple[str, float, str]], said: str, received: str
) -> None:
    components = [
        {"code": code((LOINC, loinc)), "valueQuantity": quantity(value, unit)} for loinc, value, unit in parts
    ]
    sent = observation((LOINC, "2708-6"), valueQuantity=quantity(94, "%"), component=components)
    assert content(sent)[1:] == [{"kind": "supplemental_oxygen", "code": said, "code_received": received}]


def test_an_amount_of_oxygen_by_itself() -> None:
    for coding in ((LOINC, "3151-8"), (SNOMED, "57485005"), (SNOMED, "371825009")):
        sent = observation(coding, valueQuantity=quantity(2, "l/min", "litre per minute"))
        assert mapped(sent).about == "supplemental_oxygen"
        assert content(sent) == [
            {"kind": "supplemental_oxygen", "code": "oxygen", "code_received": "2 l/min"}
        ]
    sent = observation((LOINC, "3151-8"), valueQuantity=quantity(2, "%"))
    assert faults(sent)[0][::2] == ("Observation.valueQuantity.code", "'%'")
    for wrong, found in (((200, "L/min"), "200 'L/min'"), ((50, "mL/min"), "50 'mL/min'")):
        sent = observation((LOINC, "3151-8"), valueQuantity=quantity(*wrong))
        assert faults(sent)[0] == ("Observation.valueQuantity", "valueQuantity from 0 to 100 L/min", found)


def test_a_value_may_stand_in_the_only_component() -> None:
    part = {"code": code((LOINC, "29463-7")), "valueQuantity": quantity(39.3, "kg")}
    sent = observation(valueQuantity=None, component=[part])
    assert content(sent) == [{"kind": "body_weight", "value": 39.3, "unit": "kg"}]
    assert mapped(sent).delivered.places == ("Observation.component[0].valueQuantity",)
    assert faults(observation(component=[part]))[0][2] == "another one"


def test_a_flow_beside_room_air_contradicts() -> None:
    components = [
        {"code": code((LOINC, "3151-8")), "valueQuantity": quantity(6, "L/min")},
        {"code": code((LOINC, "3150-6")), "valueQuantity": quantity(21, "%")},
    ]
    sent = observation((LOINC, "2708-6"), valueQuantity=quantity(94, "%"), component=components)
    assert faults(sent)[0][2] == "another one"


@pytest.mark.parametrize(
    ("bits", "state", "received"),
    [
        (["150604.2", "150604.7"], "not_worn", "150604.2 150604.7"),
        (["150604.14", "150604.0"], "fault", "150604.14 150604.0"),
        ([], "ok", None),
    ],
)
def test_an_oximeter_says_how_it_is(bits: list[str], state: str, received: str | None) -> None:
    system = "http://terminology.hl7.org/CodeSystem/ASN1ToHL7"
    said = [{"code": code((system, bit)), "valueBoolean": True} for bit in bits]
    said.append({"code": code((system, "150604.1")), "valueBoolean": False})
    sent = observation((MDC, "150604"), valueQuantity=None, component=said)
    kept = {} if received is None else {"code_received": received}
    assert content(sent) == [{"kind": "device_state", "code": state, **kept}]


def test_an_oximeter_that_only_doubts_its_signal_is_refused() -> None:
    system = "http://terminology.hl7.org/CodeSystem/ASN1ToHL7"
    said = [{"code": code((system, "150604.11")), "valueBoolean": True}]
    sent = observation((MDC, "150604"), valueQuantity=None, component=said)
    assert faults(sent)[0][::2] == ("Observation.component", "150604.11")


def test_the_kinds_that_codes_name_exist() -> None:
    others = {
        "blood_pressure",
        "oximeter_status",
        "oxygen_flow",
        "oxygen_fraction",
        "no_reading",
        "panel",
        "clock",
    }
    assert {means for meanings in MEANINGS.values() for means in meanings} <= others | set(KIND_BY_NAME)

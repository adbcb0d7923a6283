from models.kinds import KIND_BY_NAME, KINDS, NOTHING
from models.units import UNIT_BY_SPELLING

# Stored numbers keep their meaning for ever: a line here may be added, none may change.
NUMBERS = [
    "body_weight", "systolic", "diastolic", "mean_arterial", "heart_rate", "pulse", "spo2",
    "supplemental_oxygen", "temperature", "respiratory_rate", "consciousness", "glucose", "glucose_cgm",
    "peak_flow", "fev1", "fvc", "steps", "battery", "device_state", "symptom_dyspnoea",
    "symptom_oedema", "symptom_chest_pain", "symptom_headache", "symptom_vision",
    "symptom_neurological", "symptom_cough", "symptom_sputum", "symptom_purulence", "symptom_wheeze",
    "symptom_cold", "symptom_fever", "symptom_dizziness", "symptom_fatigue", "score_news2",
]  # fmt: skip


def test_numbers_keep_their_meaning() -> None:
    assert [kind.name for kind in KINDS] == NUMBERS
    assert [kind.number for kind in KINDS] == list(range(len(KINDS)))
    assert list(KIND_BY_NAME) == NUMBERS


def test_a_kind_has_a_unit_with_a_range_or_a_closed_list() -> None:
    for kind in KINDS:
        assert kind.is_coded == (kind.unit is None) == (not kind.low < kind.high), kind
        assert len(set(kind.codes)) == len(kind.codes)
        assert kind.unit is None or kind.unit in UNIT_BY_SPELLING
        assert kind.dutch
        assert kind.english


def test_codes_of_one_system_mean_one_kind() -> None:
    shared = {"8867-4"}  # heart rate and pulse: FHIR's vital signs know one of them only
    for system in ("loinc", "snomed", "ieee"):
        codes = [code for kind in KINDS for code in getattr(kind, system)]
        assert {code for code in codes if codes.count(code) > 1} <= shared


def test_plausible_ranges() -> None:
    ranges = {kind.name: (kind.low, kind.high) for kind in KINDS if not kind.is_coded}
    assert ranges == {
        "body_weight": (20, 300),
        "systolic": (40, 300),
        "diastolic": (20, 200),
        "mean_arterial": (20, 300),
        "heart_rate": (20, 300),
        "pulse": (20, 300),
        "spo2": (50, 100),
        "temperature": (30, 45),
        "respiratory_rate": (3, 80),
        "glucose": (0.6, 55),
        "glucose_cgm": (0.6, 55),
        "peak_flow": (30, 900),
        "fev1": (0.2, 8),
        "fvc": (0.3, 10),
        "steps": (0, 100_000),
        "battery": (0, 100),
        "score_news2": (0, 20),
    }
    assert [kind.name for kind in KINDS if kind.low_excluded] == ["spo2"]


def test_what_devices_send_for_nothing() -> None:
    assert NOTHING == (0.0, -100.0, 8388607.0)
    assert 50.0 in KIND_BY_NAME["spo2"].sentinels
    may_be_zero = {kind.name for kind in KINDS if not kind.is_coded and 0.0 not in kind.sentinels}
    assert may_be_zero == {"steps", "battery", "score_news2"}


def test_closed_lists() -> None:
    assert KIND_BY_NAME["consciousness"].codes == ("A", "C", "V", "P", "U")
    assert KIND_BY_NAME["supplemental_oxygen"].codes == ("air", "oxygen")
    assert KIND_BY_NAME["consciousness"].code_numbers["P"] == 3
    for kind in KINDS:
        if kind.name.startswith("symptom_"):
            assert kind.codes in {("none", "mild", "moderate", "severe"), ("no", "yes")}


def test_dense_kinds() -> None:
    dense = ["heart_rate", "pulse", "spo2", "respiratory_rate", "glucose_cgm"]
    assert [kind.name for kind in KINDS if kind.dense] == dense
